-- Which rows of the shipped data sets train and which test: one predicate for both sides, test/pgtap/quality and its oracle test/bench/quality.py.
--
-- Each view adds to its table
--   row_key  text that names a row (rows of equal content share it), and
--   train    whether the row trains: first byte of sha-256(row_key) below 180, about 70 %; adult has the split of its authors.
-- The keys are built of integers and text only, so they do not depend on how a session prints floating point numbers.
-- Plain SQL over tables found by search_path, temporary views: read it by \ir inside the transaction of a test.

CREATE TEMPORARY VIEW telco_folds AS
SELECT t.*, "customerID" AS row_key, get_byte(sha256(convert_to("customerID", 'UTF8')), 0) < 180 AS train
FROM telco_churn t;

CREATE TEMPORARY VIEW adult_folds AS
SELECT t.*, concat_ws(':', age, fnlwgt, education_num, hours_per_week, occupation) AS row_key, split = 'train' AS train
FROM adult t;

CREATE TEMPORARY VIEW titanic_folds AS
SELECT t.*, row_key, get_byte(sha256(convert_to(row_key, 'UTF8')), 0) < 180 AS train
FROM titanic t,
     concat_ws(':', pclass, sex, coalesce((age * 12)::integer, -1), sibsp, parch, (fare * 10000)::bigint, coalesce(embarked, '')) AS row_key;

CREATE TEMPORARY VIEW penguins_folds AS
SELECT t.*, row_key, get_byte(sha256(convert_to(row_key, 'UTF8')), 0) < 180 AS train
FROM penguins t,
     concat_ws(':', island, coalesce((bill_length_mm * 10)::integer, -1), coalesce((bill_depth_mm * 10)::integer, -1),
               coalesce(flipper_length_mm::integer, -1), coalesce(body_mass_g::integer, -1), coalesce(sex, '')) AS row_key;

CREATE TEMPORARY VIEW california_folds AS
SELECT t.*, row_key, get_byte(sha256(convert_to(row_key, 'UTF8')), 0) < 180 AS train
FROM california_housing t,
     concat_ws(':', (longitude * 100)::integer, (latitude * 100)::integer, total_rooms::integer, population::integer) AS row_key;

CREATE TEMPORARY VIEW letter_folds AS
SELECT t.*, row_key, get_byte(sha256(convert_to(row_key, 'UTF8')), 0) < 205 AS train
FROM letter_recognition t,
     concat_ws(':', lettr, x_box, y_box, width, high, onpix, x_bar, y_bar, x2bar, y2bar, xybar, x2ybr, xy2br, x_ege, xegvy, y_ege, yegvx) AS row_key;

-- The eight features of the airline benchmarks, known when the plane leaves its gate; flights that never left have no label.
CREATE TEMPORARY VIEW hflights_folds AS
SELECT month, day_of_month, day_of_week, dep_time, unique_carrier, origin, dest, distance, dep_delay >= 15 AS late, row_key,
	get_byte(sha256(convert_to(row_key, 'UTF8')), 0) < 180 AS train
FROM hflights,
     concat_ws(':', month, day_of_month, unique_carrier, flight_num, origin, dest) AS row_key
WHERE dep_delay IS NOT NULL;

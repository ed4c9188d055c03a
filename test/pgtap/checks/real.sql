-- ml.checks on real data: what is known to be wrong with each set is found, by name; what is right raises no alarm.
BEGIN;
SELECT no_plan();

CREATE TEMP TABLE f AS
SELECT 'titanic' AS t, * FROM ml.checks('titanic', 'survived') UNION ALL
SELECT 'telco', * FROM ml.checks('telco_churn', 'Churn') UNION ALL
SELECT 'nyc311', * FROM ml.checks('nyc311_animals', 'Complaint Type') UNION ALL
SELECT 'earthquakes', * FROM ml.checks('earthquakes', 'Magnitude') UNION ALL
SELECT 'bike', * FROM ml.checks('bike_sharing', 'cnt') UNION ALL
SELECT 'hflights', * FROM ml.checks('SELECT *, dep_delay >= 15 AS late FROM hflights', 'late') UNION ALL
SELECT 'cancelled', * FROM ml.checks('hflights', 'cancelled') UNION ALL
SELECT 'adult', * FROM ml.checks('adult', 'income') UNION ALL
SELECT 'penguins', * FROM ml.checks('penguins', 'species') UNION ALL
SELECT 'letters', * FROM ml.checks('letter_recognition', 'lettr') UNION ALL
SELECT 'housing', * FROM ml.checks('california_housing', 'median_house_value');

CREATE FUNCTION pg_temp.finds(source text, expected_check text, expected_columns text[], what text, condition text DEFAULT 'true') RETURNS text LANGUAGE plpgsql AS $$
DECLARE yes bool;
BEGIN
	EXECUTE format('SELECT bool_or(%s) FROM f WHERE t = %L AND check_name = %L AND columns = %L', condition, source, expected_check, expected_columns) INTO yes;
	RETURN ok(yes, format('%s: %s %s: %s', source, expected_check, expected_columns, what));
END $$;

-- Titanic: columns that repeat the target or each other.  (Counts by pandas.)
SELECT pg_temp.finds('titanic', 'target_copy', '{alive}', 'the target in words', 'severity = ''high''');
SELECT pg_temp.finds('titanic', 'redundant_pair', '{class,pclass}', 'class in words and numbers', 'severity = ''medium''');
SELECT pg_temp.finds('titanic', 'redundant_pair', '{embark_town,embarked}', 'town and its letter', 'severity = ''medium''');
SELECT pg_temp.finds('titanic', 'determined_column', '{adult_male,who}', 'adult_male is who = man');
SELECT pg_temp.finds('titanic', 'determined_column', '{alone,sibsp,parch}', 'alone is sibsp + parch = 0');
SELECT pg_temp.finds('titanic', 'missing_values', '{deck}', 'missing, and yet of use', 'severity = ''high'' AND n = 688 AND threshold = 0.6');
SELECT pg_temp.finds('titanic', 'missing_predicts_target', '{deck}', 'unknown decks sank more often', 'value BETWEEN 0.275 AND 0.276');
SELECT pg_temp.finds('titanic', 'numeric_classes', '{survived}', 'a class in numbers');
SELECT pg_temp.finds('titanic', 'duplicate_rows', '{}', 'as DataFrame.duplicated', 'n = 107');

-- Telecom customers: numbers as text with 11 blanks, and a key.
SELECT pg_temp.finds('telco', 'number_as_text', '{TotalCharges}', 'eleven blanks among numbers', 'n = 7032 AND message LIKE ''%11 values: '''' '''' (11)''');
SELECT pg_temp.finds('telco', 'sentinel_text', '{TotalCharges}', 'the blanks', 'n = 11');
SELECT pg_temp.finds('telco', 'key_column', '{customerID}', 'a key', 'n = 7043');
SELECT pg_temp.finds('telco', 'duplicate_rows', '{}', 'rows that are equal but for the key', 'n = 22');
SELECT pg_temp.finds('telco', 'conflicting_labels', '{Churn}', 'same customer, other outcome');

-- Complaints about animals.
SELECT pg_temp.finds('nyc311', 'sentinel_text', '{Descriptor}', 'N/A', 'n = 24 AND message LIKE ''%''''N/A'''' (24)%''');
SELECT pg_temp.finds('nyc311', 'sentinel_text', '{"Facility Type"}', 'N/A', 'n = 354');
SELECT pg_temp.finds('nyc311', 'sentinel_text', '{"Park Facility Name"}', 'Unspecified', 'n = 4969');
SELECT pg_temp.finds('nyc311', 'empty_column', '{"Due Date"}', 'never filled in');
SELECT pg_temp.finds('nyc311', 'constant_column', '{"Park Facility Name"}', 'one value');
SELECT pg_temp.finds('nyc311', 'key_column', '{"Unique Key"}', 'a key', 'n = 4969 AND value = 1');
SELECT pg_temp.finds('nyc311', 'redundant_pair', '{"Agency Name",Agency}', 'agency and its name');
SELECT pg_temp.finds('nyc311', 'redundant_pair', '{Latitude,"Y Coordinate (State Plane)"}', 'one place, two coordinates');
SELECT pg_temp.finds('nyc311', 'time_as_text', '{"Created Date"}', 'times as text', 'message LIKE ''%MM/DD/YYYY HH:MM%(4969)''');
SELECT pg_temp.finds('nyc311', 'rare_class', '{"Complaint Type"}', 'a class of 7 rows', 'value = 7');
SELECT pg_temp.finds('nyc311', 'level_variants', '{"Cross Street 1"}', 'more blanks or fewer');
SELECT pg_temp.finds('nyc311', 'leakage', '{Descriptor}', 'details of the complaint name it');

-- Earthquakes: three rows in another format.
SELECT pg_temp.finds('earthquakes', 'mixed_formats', '{Date}', 'three stamps among dates', 'n = 3 AND message LIKE ''%MM/DD/YYYY%(23409)%(3)''');
SELECT pg_temp.finds('earthquakes', 'mixed_formats', '{Time}', 'three stamps among times', 'n = 3');
SELECT pg_temp.finds('earthquakes', 'missing_values', '{"Magnitude Error"}', 'nearly empty', 'n = 23085');
SELECT pg_temp.finds('earthquakes', 'key_column', '{ID}', 'a key');
SELECT pg_temp.finds('earthquakes', 'near_constant', '{Type}', 'nearly all are earthquakes', 'n = 23232');

-- Bicycles: the parts of the target, and a row number.
SELECT pg_temp.finds('bike', 'target_identity', '{casual,registered}', 'two parts and their sum', 'severity = ''high'' AND message LIKE ''%cnt = casual + registered%''');
SELECT pg_temp.finds('bike', 'leakage', '{registered}', 'most of the target', 'severity = ''high''');
SELECT pg_temp.finds('bike', 'row_number', '{instant}', '1 to 17379');
SELECT pg_temp.finds('bike', 'redundant_pair', '{atemp,temp}', 'felt and measured');
SELECT pg_temp.finds('bike', 'determined_column', '{season,yr,mnth,holiday,weekday,workingday,dteday}', 'what follows from the date');

-- Flights: what is known only afterwards.
SELECT pg_temp.finds('hflights', 'target_copy', '{dep_delay}', 'what the target is made from', 'severity = ''high''');
SELECT pg_temp.finds('hflights', 'leakage', '{arr_delay}', 'the delay at the other end');
SELECT pg_temp.finds('hflights', 'recorded_with_target', ARRAY[c], 'known only afterwards', 'severity = ''high''')
FROM unnest('{dep_time,arr_time,actual_elapsed_time,air_time,taxi_in,taxi_out,cancelled,cancellation_code}'::text[]) c;
SELECT pg_temp.finds('hflights', 'constant_column', '{year}', 'one year');
SELECT pg_temp.finds('hflights', 'missing_target', '{late}', 'never departed', 'n = 2905');
SELECT pg_temp.finds('hflights', 'many_levels', '{tail_num}', 'thousands of aeroplanes');
SELECT pg_temp.finds('hflights', 'linear_identity', '{taxi_out,actual_elapsed_time,air_time,taxi_in}', 'times that add up');
SELECT pg_temp.finds('cancelled', 'target_copy', '{cancellation_code}', 'only cancelled flights have one', 'severity = ''high''');
SELECT pg_temp.finds('cancelled', 'filled_after_outcome', ARRAY[c], 'empty because it was cancelled', 'severity = ''high''')
FROM unnest('{dep_time,arr_time,actual_elapsed_time,air_time,arr_delay,dep_delay,taxi_in,taxi_out}'::text[]) c;
SELECT pg_temp.finds('cancelled', 'class_imbalance', '{cancelled}', '1 to 75', 'round(1 / value) = 76');

-- Census: question marks, and a number that means "or more".
SELECT pg_temp.finds('adult', 'sentinel_text', ARRAY[c], 'question marks', 'n = ' || n) FROM (VALUES ('workclass', 2799), ('occupation', 2809), ('native_country', 857)) v(c, n);
SELECT pg_temp.finds('adult', 'sentinel_number', '{capital_gain}', '99999', 'n = 244');
SELECT pg_temp.finds('adult', 'redundant_pair', '{education_num,education}', 'years and degree');

-- No false alarms: columns that are in order are in no finding of severity high, clean sets in none at all.
SELECT is((SELECT array_agg(DISTINCT c COLLATE "C" ORDER BY c COLLATE "C") FROM f, unnest(columns) c WHERE t = s AND severity = 'high'), expected::text[], s || ': nothing else is severe')
FROM (VALUES ('titanic', '{alive,deck}'), ('telco', NULL), ('earthquakes', NULL), ('adult', NULL), ('letters', NULL), ('housing', NULL), ('bike', '{casual,registered}'),
	('hflights', '{actual_elapsed_time,air_time,arr_time,cancellation_code,cancelled,dep_delay,dep_time,taxi_in,taxi_out}'),
	('cancelled', '{actual_elapsed_time,air_time,arr_delay,arr_time,cancellation_code,dep_delay,dep_time,taxi_in,taxi_out}'),
	('nyc311', '{Agency,"Agency Name",Descriptor,"Location Type"}')) v(s, expected);
SELECT is_empty($$SELECT * FROM f WHERE t = 'penguins'$$, 'nothing is wrong with the penguins');
SELECT is_empty($$SELECT * FROM f WHERE t = 'housing' AND severity <> 'low'$$, 'next to nothing is wrong with the houses');
SELECT ok(count(*) <= 12, t || ': no more than a dozen findings of more than low severity') FROM f WHERE severity <> 'low' AND t NOT IN ('nyc311', 'cancelled') GROUP BY t;

-- Every finding has a check that is defined, words, and a fix that PostgreSQL can plan.
CREATE FUNCTION pg_temp.plans(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'EXPLAIN ' || statement; RETURN NULL; EXCEPTION WHEN OTHERS THEN RETURN SQLERRM; END $$;
SELECT is_empty('SELECT t, check_name, columns, fix, pg_temp.plans(fix) FROM f WHERE pg_temp.plans(fix) IS NOT NULL', 'every fix can be planned');
SELECT is_empty($$SELECT * FROM f WHERE fix IS NULL AND check_name <> 'constant_target'$$, 'every finding has a fix');
SELECT is_empty('SELECT * FROM f WHERE check_name NOT IN (SELECT d.check_name FROM ml.check_definitions() d)', 'every check is defined');

-- Fixes do what they promise.
CREATE FUNCTION pg_temp.fixed(source text, expected_check text, expected_columns text[]) RETURNS text LANGUAGE sql AS $$
	SELECT fix FROM f WHERE t = source AND check_name = expected_check AND columns = expected_columns $$;
DO $$
BEGIN
	EXECUTE 'CREATE TEMP TABLE charges AS ' || pg_temp.fixed('telco', 'number_as_text', '{TotalCharges}');
	EXECUTE 'CREATE TEMP TABLE quakes AS ' || pg_temp.fixed('earthquakes', 'mixed_formats', '{Date}');
	EXECUTE 'CREATE TEMP TABLE times AS ' || pg_temp.fixed('earthquakes', 'mixed_formats', '{Time}');
	EXECUTE 'CREATE TEMP TABLE people AS ' || pg_temp.fixed('adult', 'sentinel_text', '{workclass}');
	EXECUTE 'CREATE TEMP TABLE calls AS ' || pg_temp.fixed('nyc311', 'time_as_text', '{"Created Date"}');
	EXECUTE 'CREATE TEMP TABLE once AS ' || pg_temp.fixed('titanic', 'duplicate_rows', '{}');
	EXECUTE 'CREATE TEMP TABLE agreed AS ' || pg_temp.fixed('telco', 'conflicting_labels', '{Churn}');
END $$;
SELECT col_type_is('charges', 'TotalCharges', 'double precision', 'numbers as text become numbers');
SELECT is((SELECT count(*) FROM charges WHERE "TotalCharges" IS NULL), 11::bigint, '... but for the blanks');
SELECT is((SELECT count("Date"::timestamp) FROM quakes), 23412::bigint, 'all formats are read');
SELECT is((SELECT min("Date"::timestamp) FROM quakes), '1965-01-02'::timestamp, '... month first');
SELECT is((SELECT count("Time"::time) FROM times WHERE "Time" <= '24:00'), 23412::bigint, '... and times of day');
SELECT is((SELECT count(*) FROM people WHERE workclass IS NULL), 2799::bigint, 'question marks become NULL');
SELECT is((SELECT max("Created Date"::timestamp) FROM calls), '2025-03-14 01:20'::timestamp, 'times of one format');
SELECT is((SELECT count(*) FROM once), 784::bigint, 'each row once');
SELECT is_empty($$SELECT * FROM ml.checks('agreed', 'Churn') WHERE check_name = 'conflicting_labels'$$, 'twins that disagree are gone');

SELECT * FROM finish();
ROLLBACK;

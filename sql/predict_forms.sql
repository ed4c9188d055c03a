-- Every way to ask a model, and what it says to a row it cannot read.
CREATE TABLE flats AS SELECT i AS id, (i % 40 + 20)::float8 AS area, chr(97 + i % 3) AS quarter, (i % 40 + 20) * 3 + i % 5 AS price, i % 40 > 15 AS dear
FROM generate_series(1, 200) i;
SELECT version FROM ml.train('price', 'SELECT area, quarter, price FROM flats', 'price', algorithm => 'linear_regression');
SELECT version FROM ml.train('dear', 'SELECT area, quarter, dear FROM flats', 'dear', algorithm => 'logistic_regression');
SELECT version FROM ml.train('quarter', 'SELECT area, price, quarter FROM flats', 'quarter', algorithm => 'logistic_regression');

-- the same row in every form
SELECT ml.predict('price', f.*) = ml.predict('price', f) AS whole_row,
	ml.predict('price', f.*) = ml.predict('price', to_jsonb(f)) AS jsonb,
	ml.predict('price', f.*) = ml.predict('price', row_to_json(f)::text) AS json_text,
	ml.predict('price', f.*) = ml.predict((SELECT ml.artifact('price')), f.*) AS by_value,
	ml.predict('price', f.*) = ml.predict_columns('price', ARRAY['quarter', 'area'], quarter, area) AS columns
FROM flats f WHERE id = 1;
SELECT round(ml.predict('price', '{"quarter": "a", "area": 40}')) AS literal;
SELECT round(ml.predict('price', s.*)) AS other_order FROM (SELECT 'x' AS extra, 40::numeric AS area, 'a'::varchar AS quarter) s;
SELECT round(ml.predict('price:1', '{"quarter": "a", "area": 40}')) AS of_a_version;

-- classes
SELECT ml.predict_class('dear', '{"quarter": "a", "area": 58}') AS class, ml.predict_proba('dear', '{"quarter": "a", "area": 58}') > 0.9 AS sure,
	ml.predict('dear', '{"quarter": "a", "area": 58}') AS number;
SELECT round((ml.predict_proba('dear', f.*) + ml.predict_proba('dear', f.*, class => 'false'))::numeric, 12) AS one FROM flats f WHERE id = 7;
SELECT jsonb_object_keys(ml.predict_all('quarter', f.*)) AS key FROM flats f WHERE id = 7 ORDER BY 1;
SELECT key, class = ml.predict_class('dear', f.*) AS same, probability = ml.predict_proba('dear', f.*) AS same_probability, version
FROM ml.predict_table('dear', 'flats', 'id') p JOIN flats f ON f.id::text = p.key ORDER BY f.id LIMIT 3;

-- in WHERE, ORDER BY, views, prepared statements, PL/pgSQL, generated columns (by value)
CREATE VIEW dear_flats AS SELECT id FROM flats f WHERE ml.predict_class('dear', f.*) = 'true';
SELECT count(*) BETWEEN 80 AND 140 AS plausible FROM dear_flats;
PREPARE ask(text, float8) AS SELECT round(ml.predict('price', s.*)) AS price FROM (SELECT $1 AS quarter, $2 AS area) s;
EXECUTE ask('a', 40);
EXECUTE ask('b', 20);
DO $$
DECLARE f flats; total float8 := 0;
BEGIN
	FOR f IN SELECT * FROM flats LOOP total := total + ml.predict('price', f); END LOOP;
	RAISE NOTICE 'mean % ', round(total / 200);
END $$;

SELECT '\x' || encode(ml.artifact('price'), 'hex') AS artifact \gset
CREATE TABLE offers (area float8, quarter text,
	price float8 GENERATED ALWAYS AS (ml.predict_columns(:'artifact'::bytea, ARRAY['area', 'quarter'], area, quarter)) STORED);
INSERT INTO offers VALUES (40, 'a'), (20, 'b');
SELECT area, quarter, round(price) AS price FROM offers ORDER BY area;
DROP TABLE offers;

-- rows that are not there, cells that are not there
SELECT v.id, ml.predict('price', f) IS NULL AS null_row FROM (VALUES (1), (1000)) v(id) LEFT JOIN flats f ON f.id = v.id AND v.id > 1 ORDER BY v.id;
SELECT ml.predict('price', NULL::jsonb) IS NULL AS null_row, ml.predict(NULL::text, '{}'::jsonb) IS NULL AS null_model;
SELECT ml.predict('price', '{"area": null, "quarter": null}') IS NOT NULL AS null_cells_are_imputed;
SELECT ml.predict('price', '{"area": 40, "quarter": "unheard of"}') IS NOT NULL AS unseen_levels_are_averaged;

-- refusals
SELECT ml.predict('prize', '{"area": 40, "quarter": "a"}');
SELECT ml.predict('price:7', '{"area": 40, "quarter": "a"}');
SELECT ml.predict('price@canary', '{"area": 40, "quarter": "a"}');
SELECT ml.predict('price', '{"quarter": "a"}');
SELECT ml.predict('price', s.*) FROM (SELECT 40 AS aera, 'a' AS quarter) s;
SELECT ml.predict('price', s.*) FROM (SELECT date '2024-01-01' AS area, 'a' AS quarter) s;
SELECT ml.predict('price', s.*) FROM (SELECT 'forty'::text AS area, 'a' AS quarter) s;
SELECT ml.predict('price', '{"area": "forty", "quarter": "a"}');
SELECT ml.predict('price', '[1, 2]');
SELECT ml.predict('price', 'no JSON');
SELECT ml.predict('quarter', f.*) FROM flats f WHERE id = 1;
SELECT ml.predict_class('price', f.*) FROM flats f WHERE id = 1;
SELECT ml.predict_proba('price', f.*) FROM flats f WHERE id = 1;
SELECT ml.predict_proba('dear', f.*, class => 'perhaps') FROM flats f WHERE id = 1;
SELECT ml.predict_columns('price', ARRAY['area', 'quarter'], 40);
SELECT ml.predict('\x00'::bytea, f.*) FROM flats f WHERE id = 1;

-- a table altered between two calls
SELECT count(ml.predict('price', f.*)) FROM flats f;
ALTER TABLE flats ADD COLUMN floor integer;
SELECT count(ml.predict('price', f.*)) FROM flats f;
ALTER TABLE flats DROP COLUMN dear;
SELECT count(ml.predict('price', f.*)) FROM flats f;
ALTER TABLE flats ALTER COLUMN area TYPE numeric;
SELECT count(ml.predict('price', f.*)) FROM flats f;
ALTER TABLE flats RENAME COLUMN area TO size;
SELECT count(ml.predict('price', f.*)) FROM flats f;

DROP VIEW dear_flats;
DROP TABLE flats;
SELECT FROM ml.drop_model('price');
SELECT FROM ml.drop_model('dear');
SELECT FROM ml.drop_model('quarter');

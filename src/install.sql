\echo Use "CREATE EXTENSION relearn" to load this file. \quit

SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA ml;
GRANT USAGE ON SCHEMA ml TO PUBLIC;
COMMENT ON SCHEMA ml IS 'relearn: train, judge, version and serve models over tables';


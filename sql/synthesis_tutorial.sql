-- What the tables around a table say about its rows: features along foreign keys, without leaks from the future.
\set ECHO none
\set QUIET on
SET client_min_messages = warning;
\i test/data/chinook.sql
RESET client_min_messages;
\set QUIET off
\set ECHO all

-- Invoices of a music shop.  What was known of the customer when an invoice was written?
SELECT feature, type, depth, path, dated_by
FROM ml.synthesize_features('chinook.invoice', max_depth => 2, cutoff => 'invoice_date', aggregates => '{count,mean,last,days_since_last}', top_values => 1,
	exclude => '{employee,customer.phone,customer.fax,customer.email,customer.address}')
WHERE depth > 0;

-- Each feature has its definition over the row t of the table, to be read and checked.
SELECT description, sql
FROM ml.synthesize_features('chinook.invoice', cutoff => 'invoice_date', aggregates => '{count,mean,days_since_last}', top_values => 0)
WHERE feature ~ '^customer\.(count|days_since_last|mean)\(invoice';

-- Nothing dates the lines of an invoice, so they are left out, and the list says so.
SELECT path, warning FROM ml.synthesize_features('chinook.invoice', max_depth => 1, cutoff => 'invoice_date') WHERE feature IS NULL;

-- Without a cutoff, rows beside the one that is described include it: what is to be predicted leaks.
SELECT feature, warning FROM ml.synthesize_features('chinook.invoice', aggregates => '{mean}', top_values => 0) WHERE feature = 'customer.mean(invoice.total)';

-- All of them in one SELECT: each table is grouped once per path.
\pset format unaligned
SELECT ml.synthesize_query('chinook.customer', max_depth => 2, aggregates => '{count,mean,mode}', top_values => 0,
	exclude => '{employee,invoice.billing_address,invoice.billing_city,invoice.billing_state,invoice.billing_postal_code,invoice_line.quantity}');
\pset format aligned

-- It is a source like any other: to train on, and to predict from.
SELECT model, algorithm, task, n_train + n_validation + n_test AS n FROM
	ml.train('next_invoice', ml.synthesize_query('chinook.invoice', cutoff => 'invoice_date', exclude => '{employee}'), 'total', algorithm => 'gradient_boosting', key => 'invoice_id');
SELECT count(*) AS n, count(prediction) AS predicted
FROM ml.predict_table('next_invoice', ml.synthesize_query('chinook.invoice', cutoff => 'invoice_date', exclude => '{employee}'), 'invoice_id');

-- As a view, the features of new rows are there as soon as the rows are.
SELECT 'CREATE VIEW invoice_features AS ' || ml.synthesize_query('chinook.invoice', cutoff => 'invoice_date', exclude => '{employee}') AS statement \gset
:statement;
INSERT INTO chinook.invoice (invoice_id, customer_id, invoice_date, total) VALUES (413, 1, '2026-01-01', 0);
SELECT invoice_id, "customer.count(invoice)", "customer.days_since_last(invoice)" FROM invoice_features WHERE invoice_id = 413;
SELECT ml.predict('next_invoice', f.*) > 0 AS predicted FROM invoice_features AS f WHERE invoice_id = 413;

-- What cannot be done is refused with the way out.
SELECT ml.synthesize_query('chinook.customer', max_features => 100);
SELECT ml.synthesize_query('invoice_features');
SELECT ml.synthesize_query('chinook.invoice', cutoff => 'last week');

\set QUIET on
SET client_min_messages = warning;
DROP SCHEMA chinook CASCADE;
\set QUIET off
SELECT FROM ml.drop_model('next_invoice');

# On a hot standby models answer as on the primary, and what writes is refused with a hint.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Relearn;
use PostgreSQL::Test::Cluster;
use Test::More;

my $primary = new_server('primary', '', allows_streaming => 1);
$primary->safe_psql('postgres', 'CREATE EXTENSION relearn');
load_telco($primary, 'postgres');
$primary->safe_psql('postgres', q{SELECT FROM ml.train('churn', 'telco_churn', 'Churn', 'logistic_regression', key => 'customerID')});

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

sub catch_up { $primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert')) }

my %reads = (
	'ml.predict_proba of every row' => q{SELECT md5(string_agg(ml.predict_proba('churn', c.*)::text, ',' ORDER BY "customerID")) FROM telco_churn c},
	'ml.predict_class from JSON' => q{SELECT ml.predict_class('churn', to_jsonb(c)) FROM telco_churn c WHERE "customerID" = '7590-VHVEG'},
	'ml.predict_all' => q{SELECT ml.predict_all('churn', c.*) FROM telco_churn c WHERE "customerID" = '7590-VHVEG'},
	'ml.predict_table' => q{SELECT count(*), count(class), min(version) FROM ml.predict_table('churn', 'telco_churn', 'customerID')},
	'by value' => q{SELECT ml.predict_class((SELECT ml.artifact('churn')), c.*) FROM telco_churn c WHERE "customerID" = '7590-VHVEG'},
	'ml.evaluate' => q{SELECT metric, value, n FROM ml.evaluate('churn') ORDER BY metric},
	'ml.evaluate of a source' => q{SELECT metric, value, n FROM ml.evaluate('churn', 'SELECT * FROM telco_churn WHERE tenure > 40') ORDER BY metric},
	'ml.profile with workers' => q{SELECT md5(string_agg(p::text, ',' ORDER BY column_name)) FROM ml.profile('SELECT tenure, "MonthlyCharges", "Contract", "Churn", gender, "PaymentMethod"
		FROM telco_churn, generate_series(1, 40)') p},
	'ml.coefficients' => q{SELECT * FROM ml.coefficients('churn')},
	'ml.describe' => q{SELECT * FROM ml.describe('churn')},
	'ml.versions' => q{SELECT * FROM ml.versions},
	'ml.runs' => q{SELECT * FROM ml.runs});

sub same_answers
{
	my ($when) = @_;
	for my $what (sort keys %reads)
	{
		catch_up();				# an evaluation on the primary is counted, so views change
		my ($status, $answer, $error) = $standby->psql('postgres', "SET client_min_messages = error; $reads{$what}");
		is("$answer$error", $primary->safe_psql('postgres', $reads{$what}), "$what, $when");
	}
}

same_answers('one version');

# What writes: refused before any work, with a way out.
for my $write (
	q{ml.train('churn', 'telco_churn', 'Churn', 'logistic_regression')},
	q{ml.train('new_model', 'telco_churn', 'Churn', 'baseline')},
	q{ml.deploy('churn', 1)},
	q{ml.rollback('churn')},
	q{ml.rename_model('churn', 'leavers')},
	q{ml.drop_model('churn')})
{
	my ($state, $message) = sqlstate_of($standby, 'postgres', "SELECT FROM $write");
	is($state, '25006', "$write is refused");
	like($message, qr/HINT:/, "$write: there is a hint") or diag $message;
}

# A transaction on the primary shows on the standby at COMMIT, as a whole.
$primary->safe_psql('postgres', q{BEGIN; SELECT FROM ml.train('churn', 'telco_churn', 'Churn', 'baseline', key => 'customerID'); SELECT FROM ml.deploy('churn', 2); ROLLBACK;});
same_answers('after a rolled back training');
is($primary->safe_psql('postgres', q{SELECT count(*) FROM ml.test_evaluations WHERE call = 'ml.evaluate'}), '2', 'looks at the test rows: those on the standby cannot be counted');
$primary->safe_psql('postgres', q{SELECT FROM ml.train('churn', 'telco_churn', 'Churn', 'logistic_regression', key => 'customerID', seed => 1, split => '{"unlock": true}'); SELECT FROM ml.deploy('churn', 2);});
is($standby->poll_query_until('postgres', q{SELECT (ml.predict_all('churn', c.*) ->> 'version') = '2' FROM telco_churn c LIMIT 1}), 1, 'version 2 answers on the standby');
same_answers('two versions');

# The standby becomes the primary: it trains, and goes on counting.
catch_up();
$primary->stop;
$standby->promote;
is($standby->safe_psql('postgres', q{SELECT version FROM ml.train('churn', 'telco_churn', 'Churn', 'baseline', key => 'customerID', seed => 1)}), '3', 'promoted, it trains the next version');

done_testing();

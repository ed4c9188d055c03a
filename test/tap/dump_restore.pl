# pg_dump and restore: the same bytes, the same answers, the next number, and rights that hold once roles are adopted.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Relearn;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = new_server('old');
load_telco($old, 'postgres');
$old->safe_psql('postgres', q{
	CREATE EXTENSION relearn;
	CREATE ROLE trainer LOGIN;
	CREATE ROLE reader LOGIN;
	CREATE ROLE stranger LOGIN;
	GRANT SELECT ON telco_churn TO trainer, reader, stranger;
	SET SESSION AUTHORIZATION trainer;
	SET client_min_messages = error;
	SELECT FROM ml.train('churn', 'telco_churn', 'Churn', 'logistic_regression', key => 'customerID', note => 'first');
	SELECT FROM ml.train('churn', 'telco_churn', 'Churn', 'baseline', key => 'customerID');
	SELECT FROM ml.train('churn', 'telco_churn', 'Churn', 'logistic_regression', params => '{"C": 0.1}', key => 'customerID');
	SELECT FROM ml.drop_version('churn', 2);
	SELECT FROM ml.deploy('churn', 3);
	SELECT FROM ml.set_alias('churn', 'trial', 1);
	SELECT FROM ml.train('charges', 'telco_churn', 'MonthlyCharges', 'linear_regression', exclude => '{customerID,TotalCharges}');
	SELECT FROM ml.grant_model('churn', 'reader', 'predict');});

my %facts = (
	'artifacts' => q{SELECT m.model, m.version, m.sha256, md5(ml.artifact(m.model || ':' || m.version)) FROM ml.versions m ORDER BY 1, 2},
	'versions' => q{SELECT * FROM ml.versions ORDER BY model, version},
	'models' => q{SELECT * FROM ml.models ORDER BY model},
	'runs' => q{SELECT * FROM ml.runs ORDER BY 1, 2},
	'aliases' => q{SELECT * FROM ml.aliases},
	'deployments' => q{SELECT * FROM ml.deployments ORDER BY 1, 2, 3},
	'answers' => q{SELECT md5(string_agg(ml.predict_proba('churn', c.*)::text || ml.predict_proba('churn@trial', c.*)::text || ml.predict('charges', c.*)::text, ','
				   ORDER BY "customerID")) FROM telco_churn c});
my %before = map { $_ => $old->safe_psql('postgres', $facts{$_}) } keys %facts;

sub same_facts
{
	my ($node, $database, $where) = @_;
	is($node->safe_psql($database, $facts{$_}), $before{$_}, "$where: the same $_") for sort keys %facts;
	is($node->safe_psql($database, q{SELECT version FROM ml.train('churn', 'telco_churn', 'Churn', 'baseline', key => 'customerID')}), '4', "$where: training goes on with the next number");
}

# Plain text into another database of the same server: roles are the same.
my $folder = PostgreSQL::Test::Utils::tempdir();
$old->command_ok(['pg_dump', '-f', "$folder/plain.sql", '-d', $old->connstr('postgres')], 'pg_dump, plain text');
$old->safe_psql('postgres', 'CREATE DATABASE again');
$old->command_ok(['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $old->connstr('again'), '-f', "$folder/plain.sql"], 'it restores');
is($old->safe_psql('again', q{SET ROLE reader; SELECT count(ml.predict_class('churn', c.*)) FROM telco_churn c}), '7043', 'the same server: rights hold at once');
same_facts($old, 'again', 'same server');

# The other formats into another server, where roles have other oids and a name now belongs to somebody else.
my $new = new_server('new');
$new->safe_psql('postgres', 'CREATE ROLE somebody; CREATE ROLE reader LOGIN; CREATE ROLE stranger LOGIN; CREATE ROLE trainer LOGIN; DROP ROLE somebody');
for my $format ('custom', 'directory')
{
	my $database = "from_$format";
	$old->command_ok(['pg_dump', '-F', $format, '-f', "$folder/$format", '-d', $old->connstr('postgres')], "pg_dump, $format");
	$new->safe_psql('postgres', "CREATE DATABASE $database");
	$new->command_ok(['pg_restore', '--exit-on-error', '-d', $new->connstr($database), "$folder/$format"], 'it restores');

	my $ask = q{SET ROLE reader; SELECT count(ml.predict_class('churn', c.*)) FROM telco_churn c};
	is((sqlstate_of($new, $database, $ask))[0], '42501', "$format: a role of the same name has no rights by its name alone");
	$new->safe_psql($database, 'SELECT FROM ml.adopt_roles()');
	is($new->safe_psql($database, $ask), '7043', "$format: after ml.adopt_roles() it has");
	is((sqlstate_of($new, $database, q{SET ROLE stranger; SELECT ml.predict_class('churn', c.*) FROM telco_churn c}))[0], '42501', "$format: a stranger has none");
	is((sqlstate_of($new, $database, q{SET ROLE reader; SELECT FROM ml.deploy('churn', 1)}))[0], '42501', "$format: who may predict may not deploy");
	is($new->safe_psql($database, q{SET ROLE trainer; SELECT count(*) FROM ml.versions}), '3', "$format: the owner sees the models");
	same_facts($new, $database, $format);
}

done_testing();

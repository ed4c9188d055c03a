# 1,000 sessions that ask once, and one session that asks 100,000 times: nothing is left over, nothing grows.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Relearn;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main');
$node->safe_psql('postgres', 'CREATE EXTENSION relearn');
load_telco($node, 'postgres');
$node->safe_psql('postgres', q{
	SELECT FROM ml.train('churn', 'telco_churn', 'Churn', 'logistic_regression', key => 'customerID');
	SELECT FROM ml.train('churn', 'telco_churn', 'Churn', 'logistic_regression', key => 'customerID', seed => 1, split => '{"unlock": true}');});

my $script = PostgreSQL::Test::Utils::tempdir() . '/ask.sql';
append_to_file($script, q{SELECT ml.predict_proba('churn', c.*) FROM telco_churn c LIMIT 1;});
my $shared = $node->safe_psql('postgres', q{SELECT sum(allocated_size) FROM pg_shmem_allocations});
$node->command_like(['pgbench', '-n', '-C', '-c', '2', '-t', '500', '-f', $script, 'postgres'], qr{1000/1000}, '1,000 sessions, each with its first call');
is($node->safe_psql('postgres', q{SELECT sum(allocated_size) FROM pg_shmem_allocations}), $shared, 'no shared memory was kept');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'}), '1', 'no session is left');
is(scalar(() = glob($node->data_dir . '/base/pgsql_tmp/*')), 0, 'no temporary file is left');
is(scalar(() = slurp_file($node->logfile) =~ /WARNING|leak|ERROR/g), 0, 'the log is clean');

# Memory of one session: warm up, work, compare.
my $memory = q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts};
sub growth
{
	my ($warm, $work) = @_;
	my @sizes = split /\n/, $node->safe_psql('postgres', "SET client_min_messages = error;\n$warm\n$memory;\n$work\n$memory;");
	return $sizes[-1] - $sizes[0];
}
sub do_block { my ($n, $body) = @_; return "DO \$\$ DECLARE r record; BEGIN FOR i IN 1..$n LOOP $body END LOOP; END \$\$;" }

my %calls = (
	'predictions in a loop' => [20000, q{PERFORM ml.predict_proba('churn', '{}'::jsonb || to_jsonb(c)) FROM telco_churn c LIMIT 1;}],
	'two versions in turn' => [2000, q{PERFORM ml.predict_proba('churn:1', c.*), ml.predict_proba('churn:2', c.*) FROM telco_churn c LIMIT 1;}],
	'deploying in turn' => [500, q{PERFORM ml.deploy('churn', 1 + i % 2); PERFORM ml.predict_class('churn', c.*) FROM telco_churn c LIMIT 1;}],
	'training' => [15, q{PERFORM ml.train('small', 'SELECT * FROM telco_churn LIMIT 200', 'Churn', 'logistic_regression', exclude => '{customerID,TotalCharges}');}],
	'failing' => [500, q{BEGIN PERFORM ml.train('bad', 'telco_churn', 'no such column'); EXCEPTION WHEN undefined_column THEN NULL; END;}],
	'failing predictions' => [2000, q{BEGIN PERFORM ml.predict_proba('churn', '{"tenure": 1}'); EXCEPTION WHEN undefined_column THEN NULL; END;}]);
for my $what (sort keys %calls)
{
	my ($n, $body) = @{ $calls{$what} };
	my $grown = growth(do_block(int($n / 5), $body), do_block($n, $body));
	cmp_ok($grown, '<', 1024 * 1024, "$n times $what: the session grew by $grown bytes");
}

done_testing();

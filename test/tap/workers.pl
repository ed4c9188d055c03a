# Parallel workers of a training and of ml.profile: ended or killed in the middle, never started, and shared memory that cannot be had.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IPC::Run;
use Time::HiRes qw(usleep);
use PostgreSQL::Test::Utils;
use Relearn;
use Test::More;

# Segments are files here, so that one left behind is seen; that workers are started is in the log.
my $node = new_server('main',
	"dynamic_shared_memory_type = mmap\nmax_worker_processes = 8\nmax_parallel_workers = 8\nmax_parallel_maintenance_workers = 2\n"
	. "log_min_messages = debug1\nrestart_after_crash = on\nautovacuum = off\n");
my $shm = $node->data_dir . '/pg_dynshmem';
my %training = (
	boosting => q{'yes', 'gradient_boosting', '{"n_jobs": 2, "n_estimators": %d, "bagging_fraction": 0.8}', exclude => '{y,kind}'},
	classes => q{'kind', 'gradient_boosting', '{"n_jobs": 2, "n_estimators": %d}', exclude => '{y,yes}'},
	forest => q{'y', 'random_forest', '{"n_jobs": 2, "n_estimators": %d, "min_data_in_leaf": 2000}', exclude => '{kind,yes}'});

my $profile = q{SELECT encode(sha256(convert_to(string_agg(p::text, ','), 'UTF8')), 'hex') FROM ml.profile('SELECT * FROM wide ORDER BY b, id') p};

$node->safe_psql('postgres', q{
	CREATE EXTENSION relearn;
	CREATE TABLE wide AS
	SELECT i AS id, i * 7919 % 10007 / 3.0::float8 AS a, i * 104729 % 10009 / 7.0::float8 AS b, i % 1013 AS d, chr((97 + i % 26)::int) AS letter,
		   chr((65 + i * 31 % 3)::int) AS kind, i * 7919 % 10007 / 3.0 + i % 1013 > 2000 AS yes, (i * 7919 % 10007 / 3.0 + i % 1013 + i % 17)::float8 AS y
	FROM generate_series(1::int8, 160000) i;});
my @work = (sort(keys %training), 'profile');
my ($cpus) = run_command(['nproc']);
plan skip_all => 'one CPU: trainings start no workers' if $cpus < 2;

sub workers_started
{
	return scalar(() = slurp_file($node->logfile) =~ /registering background worker "parallel worker/g);
}

# Identity of a model trained as named, or of a profile, and how many workers were registered for it.
sub train
{
	my ($name, $settings) = @_;
	my $before = workers_started();
	my $sql = $name eq 'profile' ? $profile : sprintf(qq{
		SET max_parallel_workers_per_gather = 0;
		SELECT FROM ml.train('$name', 'wide', $training{$name});
		SELECT sha256 FROM ml.versions WHERE model = '$name' ORDER BY version DESC LIMIT 1;}, 5);
	my $sha = $node->safe_psql('postgres', qq{SET client_min_messages = error; SET parallel_setup_cost = 1e9; $settings $sql});
	return ($sha =~ /(\w{64})/, workers_started() - $before);
}

# Start a training or profile that takes long, wait for its worker, let that work for a moment, and hand its process to $what; returns what psql said.
sub interrupt
{
	my ($name, $what) = @_;
	my ($out, $err) = ('', '');
	my $sql = $name eq 'profile' ? q{SET parallel_setup_cost = 1e9; SELECT FROM ml.profile('SELECT wide.* FROM wide, generate_series(1, 1000)')} :
		sprintf(qq{SET client_min_messages = error; SET max_parallel_workers_per_gather = 0; SELECT FROM ml.train('cut', 'wide', $training{$name});}, 20000);
	my $psql = IPC::Run::start(['psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('postgres'), '-c', $sql], '<', \undef, '>', \$out, '2>', \$err);
	my $pid = '';
	for (1 .. 600)
	{
		$pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'parallel worker' LIMIT 1});
		last if $pid ne '';
		usleep(50_000);
	}
	usleep(300_000);
	$what->($pid) if $pid ne '';
	$psql->finish;
	return ($pid, $err);
}

sub check_nothing_left
{
	my ($what) = @_;
	my @left = grep { -s $_ > 4 * 1024 * 1024 } glob("$shm/mmap.*");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM ml.models WHERE model = 'cut'}), '0', "$what: no model");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'}), '0', "$what: no worker is left");
	is(scalar(@left), 0, "$what: no segment is left but small ones of the server's own");
}

my %whole;
for my $name (@work)
{
	my $started;
	($whole{$name}, $started) = train($name, '');
	cmp_ok($started, '>', 0, "$name: works with a worker");
}

for my $name (@work)
{
	my ($pid, $said) = interrupt($name, sub { $node->safe_psql('postgres', "SELECT pg_terminate_backend($_[0])") });
	isnt($pid, '', "$name: a worker was at work") or diag $said;
	like($said, qr/(ERROR|FATAL):\s+57P01/, "$name: a worker that is terminated ends the statement");
	check_nothing_left("$name, terminated");
}

my ($pid, $said) = interrupt('boosting', sub { kill 'KILL', $_[0] });
like($said, qr/57P02|server closed the connection|terminating connection/, 'a worker that is killed: the server restarts, as after any backend');
my $tries = 600;
sleep 0.1 until system('pg_isready', '-q', '-d', $node->connstr) == 0 || $tries-- == 0;		# psql that is refused breaks the pipe of poll_query_until
check_nothing_left('killed');
is((train('boosting', ''))[0], $whole{boosting}, 'afterwards the same training gives the same bytes');

# Fewer workers than asked for, none, and no shared memory: the same bytes.
for my $name (@work)
{
	my ($sha, $started) = train($name, 'SET max_parallel_maintenance_workers = 0;');
	is("$sha $started", "$whole{$name} 0", "$name: no workers allowed");
}
chmod 0500, $shm or die "cannot lock $shm: $!";
for my $name (@work)
{
	my ($sha, $started) = train($name, '');
	is("$sha $started", "$whole{$name} 0", "$name: shared memory cannot be had, and the training goes on alone");
}
chmod 0700, $shm;
$node->safe_psql('postgres', 'ALTER SYSTEM SET max_worker_processes = 0');
$node->restart;
for my $name (@work)
{
	is((train($name, ''))[0], $whole{$name}, "$name: no worker can be started");
}

done_testing();

# A training stays within relearn.max_memory, leader, workers and shared memory together, and gives the rows back once they are bins; so do listings.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Relearn;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;
use List::Util qw(max);
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep);

plan skip_all => 'memory of processes is read from /proc' if !-r "/proc/$$/task/$$/children";

my $rows = 150_000;
my $row_bytes = 8 * 29;
my $spare = 12;		# MiB beside what is counted: catalog caches, freed memory that the C library keeps, the model
my $node = new_server('main', "shared_buffers = 256MB\nautovacuum = off\nmax_parallel_maintenance_workers = 2\n");
$node->safe_psql('postgres', q{
	CREATE EXTENSION relearn;
	CREATE TABLE wide AS SELECT i AS id, i * 7919 % 10007 + i * 31 % 1013 > 5500 AS y, } .
	join(', ', map { "(i * " . (7919 + 2 * $_) . " % 10007 / $_.0)::float8 AS f$_" } 1 .. 28) . qq{ FROM generate_series(1::int8, $rows) i;
	ANALYZE wide;});

sub private_mib
{
	my ($pid) = @_;
	open(my $status, '<', "/proc/$pid/status") or return 0;
	local $/;
	return <$status> =~ /RssAnon:\s+(\d+)/ ? $1 / 1024 : 0;
}

# Dynamic shared memory that a process has mapped.
sub shared_mib
{
	my ($pid) = @_;
	my %seen;
	open(my $maps, '<', "/proc/$pid/maps") or return 0;
	m{(/dev/shm/PostgreSQL\.\d+)$} and $seen{$1} = ((stat $1)[12] // 0) / 2048 while <$maps>;
	my $sum = 0;
	$sum += $_ for values %seen;
	return $sum;
}

sub first_line
{
	my ($file) = @_;
	open(my $handle, '<', $file) or return '';
	return <$handle> // '';
}

sub workers
{
	my ($postmaster) = @_;
	return grep { first_line("/proc/$_/cmdline") =~ /parallel worker/ } split ' ', first_line("/proc/$postmaster/task/$postmaster/children");
}

# The most that a statement takes over its session at rest, in MiB.
sub peak
{
	my ($what, $memory, $sql) = @_;
	my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	my $child = fork();
	if ($child == 0)
	{
		my $failed = $node->psql('postgres', qq{SET application_name = 'measured'; SET relearn.max_memory = '$memory'; SET client_min_messages = error;
			SELECT count(*) FROM ml.algorithms(); SELECT pg_sleep(1);
			$sql}, on_error_stop => 1);
		POSIX::_exit($failed ? 1 : 0);
	}
	my $pid = '';
	while ($pid eq '')
	{
		$pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE application_name = 'measured' AND wait_event = 'PgSleep'});
	}
	my $idle = private_mib($pid);
	my $most = 0;
	while (waitpid($child, WNOHANG) == 0)
	{
		my $now = private_mib($pid) - $idle + shared_mib($pid);
		$now += max(private_mib($_) - $idle, 0) for workers($postmaster);
		$most = max($most, $now);
		sleep 0.005;
	}
	is($?, 0, "$what, $memory: runs");
	return $most;
}

my $frame = $rows * $row_bytes / 1024 / 1024;
my $sample = 100_000 * ($row_bytes + 40) / 1024 / 1024;	# that edges of bins come from
my %params = (gradient_boosting => '{"n_estimators": 30}', random_forest => '{"n_estimators": 5, "max_depth": 10}', decision_tree => '{"max_depth": 8}');
for my $algorithm (sort keys %params)
{
	my $training = "SELECT FROM ml.train('m', 'wide', 'y', '$algorithm', '$params{$algorithm}', key => 'id')";
	my $most = peak($algorithm, '1GB', $training);
	cmp_ok($most, '<', 1.25 * $frame + $sample + $spare, sprintf '%s: %.0f MiB for %.0f MiB of rows', $algorithm, $most, $frame);
	$most = peak($algorithm, '45MB', $training);
	cmp_ok($most, '<', 45 + $spare, sprintf '%s: %.0f MiB within 45', $algorithm, $most);
}

# What lists many rows gives each back.
$node->safe_psql('postgres', q{
	SELECT FROM ml.train('apart', 'wide', NULL, 'isolation_forest', '{"n_estimators": 1000}', exclude => '{id,y}');
	SELECT FROM ml.train('tree', 'SELECT id, f1, f2 FROM wide', 'f2', 'decision_tree', key => 'id');});
my %listings = ('ml.trees' => q{ml.trees('apart')}, 'ml.tree_rules' => q{ml.tree_rules('tree')}, 'ml.value_counts' => q{ml.value_counts('wide', 'id')});
for my $what (sort keys %listings)
{
	my $most = peak($what, '1GB', "SELECT count(*) FROM $listings{$what}");
	cmp_ok($most, '<', 60, sprintf '%s: %.0f MiB', $what, $most);
}

done_testing();

# What the TAP tests share: servers with the extension and data, SQL with its SQLSTATE, elapsed time.
package Relearn;
use strict;
use warnings;
use Exporter 'import';
use Time::HiRes qw(time);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(new_server load_telco sqlstate_of elapsed);

# A server of its own; $settings go to postgresql.conf.
sub new_server
{
	my ($name, $settings, %init) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(extra => ['--locale=C.UTF-8', '--encoding=UTF8'], %init);
	$node->append_conf('postgresql.conf', "fsync = off\n" . ($settings // ''));
	$node->start;
	return $node;
}

sub load_telco
{
	my ($node, $database) = @_;
	$node->safe_psql($database, "SET client_min_messages = warning;\n" . slurp_file('test/data/telco_churn.sql'));
}

# Run SQL that should fail: its SQLSTATE and the whole message ('00000' where it succeeds).
sub sqlstate_of
{
	my ($node, $database, $sql) = @_;
	my (undef, undef, $stderr) = $node->psql($database, "\\set VERBOSITY verbose\n$sql", on_error_stop => 1);
	return ($stderr =~ /(?:ERROR|FATAL):\s+(\w{5}):/ ? $1 : '00000', $stderr);
}

sub elapsed
{
	my ($code) = @_;
	my $start = time;
	$code->();
	return time - $start;
}

1;

# statement_timeout and pg_cancel_backend return within half a second whatever the phase, and leave nothing behind.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Relearn;
use Test::More;

my $bound = 0.4;		# seconds past the timeout; 100 ms + 400 ms = the half second promised
my $node = new_server('main', "shared_buffers = 512MB\nmax_wal_size = 4GB\nautovacuum = off\n");
$node->safe_psql('postgres', q{
	CREATE EXTENSION relearn;
	CREATE UNLOGGED TABLE wide AS
	SELECT i AS id, chr((97 + i % 26)::int) || i * 31 % 40 AS category, date '2015-01-01' + (i % 3000)::int AS day,
		   i * 7919 % 10007 / 3.0::float8 AS a, i * 104729 % 10009 / 7.0::float8 AS b, i * 1299709 % 10037 / 11.0::float8 AS c, i % 1013 AS d,
		   chr((65 + i * 31 % 12)::int) AS kind, i * 7919 % 10007 / 3.0 + i % 1013 > 2000 AS yes, (i * 7919 % 10007 / 3.0 + i % 1013 + i % 17)::float8 AS y
	FROM generate_series(1::int8, 600000) i;
	ANALYZE wide;});

sub timed_out
{
	my ($timeout, $sql) = @_;
	my $state;
	my $seconds = elapsed(sub { ($state) = sqlstate_of($node, 'postgres', "SET client_min_messages = error; SET statement_timeout = $timeout; $sql") });
	return ($state, $seconds - $timeout / 1000);
}

my %work = (
	'linear_regression' => q{SELECT FROM ml.train('m', 'wide', 'y', 'linear_regression', exclude => '{yes,kind}')},
	'logistic_regression' => q{SELECT FROM ml.train('m', 'wide', 'yes', 'logistic_regression', exclude => '{y,kind}')},
	'multinomial' => q{SELECT FROM ml.train('m', 'wide', 'kind', 'logistic_regression', exclude => '{y,yes}')},
	'gradient_boosting' => q{SELECT FROM ml.train('m', 'wide', 'yes', 'gradient_boosting', '{"early_stopping_rounds": 50, "early_stopping_metric": "auc"}', exclude => '{y,kind}')},
	'random_forest' => q{SELECT FROM ml.train('m', 'wide', 'kind', 'random_forest', '{"n_estimators": 20}', exclude => '{y,yes,id}')},
	'gradient_boosting in little memory' => q{SET relearn.max_memory = '80MB';
		SELECT FROM ml.train('m', 'wide', 'y', 'gradient_boosting', '{"objective": "absolute", "n_estimators": 20}', exclude => '{kind,yes,id}')},
	'decision_tree in little memory' => q{SET relearn.max_memory = '125MB'; SELECT FROM ml.train('m', 'wide', 'y', 'decision_tree', exclude => '{kind,yes,id}')},
	'evaluate' => q{SELECT FROM ml.evaluate('ready', 'wide')},
	'predict_table' => q{SELECT count(*) FROM ml.predict_table('ready', 'wide', 'id')},
	'predict' => q{SELECT sum(ml.predict('ready', w.*)) FROM wide w, generate_series(1, 10)},
	'profile' => q{SELECT FROM ml.profile('wide')},
	'correlations' => q{SELECT FROM ml.correlations('wide')},
	'roc_auc' => q{SELECT ml.roc_auc(yes, a) FROM wide, generate_series(1, 3)});
$node->safe_psql('postgres', q{SELECT FROM ml.train('ready', 'SELECT * FROM wide LIMIT 5000', 'y', 'linear_regression', exclude => '{yes,kind}')});

# Walk the timeout through the whole run: every phase is hit.  A slow answer may be the machine's fault: it gets two more tries.
for my $what (sort keys %work)
{
	my ($worst, $hit) = (0, 0);
	for (my $timeout = 100; $timeout < 5000; $timeout = int($timeout * 1.6))
	{
		my ($state, $late) = timed_out($timeout, $work{$what});
		for (1 .. 2)
		{
			last if $late < $bound;
			my @again = timed_out($timeout, $work{$what});
			$late = $again[1] if $again[1] < $late;
		}
		last if $state eq '00000';
		is($state, '57014', "$what, $timeout ms: query_canceled") if $state ne '57014';
		$hit++;
		$worst = $late if $late > $worst;
	}
	cmp_ok($hit, '>', 0, "$what: runs long enough to be cancelled");
	cmp_ok($worst, '<', $bound, sprintf '%s: back %.0f ms after the timeout at worst (%d timeouts)', $what, 1000 * $worst, $hit);
}

# A session that was cancelled goes on working.
my (undef, $answer) = $node->psql('postgres', q{
	SET statement_timeout = 100;
	SELECT FROM ml.train('m', 'wide', 'kind', 'logistic_regression', exclude => '{y,yes}');
	RESET statement_timeout;
	SELECT current_setting('transaction_read_only'), count(ml.predict('ready', w.*)) FROM (SELECT * FROM wide LIMIT 10) w;}, on_error_stop => 0);
is($answer, 'off|10', 'after a cancel the session works');

# Nothing half-made is left.
$node->safe_psql('postgres', q{SELECT FROM ml.train('ready', 'SELECT * FROM wide LIMIT 5000', 'y', 'baseline', exclude => '{yes,kind}')});
is($node->safe_psql('postgres', q{SELECT string_agg(version::text, ',' ORDER BY version) FROM ml.versions WHERE model = 'ready'}), '1,2', 'no number was lost');
is($node->safe_psql('postgres', q{SELECT count(*) FROM ml.models WHERE model = 'm' AND NOT EXISTS (SELECT FROM ml.versions v WHERE v.model = 'm')}), '0',
	'no model without a version');
is(scalar(glob($node->data_dir . '/base/pgsql_tmp/*')), undef, 'no temporary file is left');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'}), '0', 'no worker is left');

done_testing();

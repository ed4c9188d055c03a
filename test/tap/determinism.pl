# The same rows, parameters and seed give the same bytes: whatever the plan, the order of the rows, the session's settings.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Relearn;
use Test::More;

my $node = new_server('main', "max_worker_processes = 8\nmax_parallel_workers = 8\n");
$node->safe_psql('postgres', q{
	CREATE EXTENSION relearn;
	CREATE TABLE houses AS
	SELECT i AS id, i % 97 + i % 11 * 0.25::float8 AS area, (i * 7919 % 13)::int AS rooms, chr(97 + i % 5) AS quarter,
		   date '2020-01-01' + i % 700 AS built, timestamptz '2021-03-28 00:00+00' + i % 1000 * interval '1 hour' AS sold,
		   CASE WHEN i % 31 <> 0 THEN i * 31 % 101 / 7.0::float8 END AS age, (i % 9 = 0) AS garden,
		   (i % 97) * 3.7 + (i * 7919 % 13) * 1.1 + i % 17 / 16.0 AS price, i * 37 % 100 < i % 97 AS quick
	FROM generate_series(1, 30000) i;
	ANALYZE houses;});

my %training = (
	linear_regression => q{'price', 'linear_regression', exclude => '{quick}'},
	logistic_regression => q{'quick', 'logistic_regression', exclude => '{price}'},
	gradient_boosting => q{'price', 'gradient_boosting', '{"bagging_fraction": 0.7, "feature_fraction": 0.8, "n_jobs": 4}', exclude => '{quick}'},
	boosted_classes => q{'quarter', 'gradient_boosting', '{"n_estimators": 20, "n_jobs": 4}'},
	forest => q{'price', 'random_forest', '{"n_estimators": 5, "n_jobs": 4, "oob_score": true}', exclude => '{quick}'},
	forest_of_two => q{'quick', 'random_forest', '{"n_estimators": 5, "n_jobs": 4, "min_data_in_leaf": 1}', exclude => '{price}'},
	extra_trees => q{'quarter', 'extra_trees', '{"n_estimators": 4, "n_jobs": 4}'},
	keyed => q{'price', 'linear_regression', key => 'id', exclude => '{quick}'},
	by_time => q{'price', 'linear_regression', time_column => 'sold', exclude => '{quick}'});
my %expected;

# Train and return the identity of the new version: 64 hexadecimal digits.
sub train
{
	my ($settings, $name, $arguments) = @_;
	return (split /\n/, $node->safe_psql('postgres', qq{
		SET client_min_messages = error;
		$settings
		SELECT FROM ml.train('$name', $arguments);
		SELECT sha256 FROM ml.versions WHERE model = '$name' ORDER BY version DESC LIMIT 1;}))[-1];
}

sub check
{
	my ($what, $settings, $source) = @_;
	$source //= 'houses';
	for my $name (sort keys %training)
	{
		my $sha = train($settings, $name, "'$source', $training{$name}");
		like($sha, qr/^[0-9a-f]{64}$/, "$name: an identity") unless $expected{$name};
		$expected{$name} //= $sha;
		is($sha, $expected{$name}, "$name: $what");
	}
}

# Plans: the feed really is parallel where workers are allowed.
my $eager = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;';
check('no workers', "$eager SET max_parallel_workers_per_gather = 0; SET max_parallel_maintenance_workers = 0;");
like($node->safe_psql('postgres', "$eager SET max_parallel_workers_per_gather = 4; EXPLAIN SELECT * FROM houses"), qr/Gather/, 'the plan is parallel');
for my $workers (1, 4)
{
	check("$workers worker(s)", "$eager SET max_parallel_workers_per_gather = $workers; SET max_parallel_maintenance_workers = $workers;");
}

# The session.
check('another time zone', "SET TimeZone = 'Asia/Kathmandu';");
check('other ways to write dates and numbers', "SET DateStyle = 'German, DMY'; SET IntervalStyle = 'sql_standard'; SET extra_float_digits = -15; SET bytea_output = 'escape';");
check('other planner settings', "SET jit = on; SET jit_above_cost = 0; SET enable_seqscan = off; SET work_mem = '64kB'; SET cursor_tuple_fraction = 1;");
check('another search_path', "SET search_path = pg_temp, public;");
check('another client encoding', "SET client_encoding = 'LATIN1';");
SKIP:
{
	my $locale = $node->safe_psql('postgres', q{SELECT collname FROM pg_collation WHERE collname ~ '^[a-z]+_[A-Z]+\.utf8$' AND collname !~ '^en' LIMIT 1});
	skip 'no second locale on this machine', scalar keys %training unless $locale;
	check("lc_* $locale", "SET lc_numeric = '$locale'; SET lc_monetary = '$locale'; SET lc_time = '$locale'; SET lc_messages = '$locale';");
}

# The order of the rows, and where they lie.
check('the source sorted another way', '', 'SELECT * FROM houses ORDER BY md5(id::text)');
check('columns named in another way', '', 'WITH h AS (SELECT * FROM houses) SELECT h.* FROM h');
$node->safe_psql('postgres', 'UPDATE houses SET area = area WHERE id % 3 = 0; VACUUM FULL houses;');
check('after UPDATE and VACUUM FULL', '');
$node->safe_psql('postgres', 'CREATE INDEX houses_age ON houses (age, quarter); CLUSTER houses USING houses_age;');
check('after CLUSTER', '');
$node->safe_psql('postgres', q{
	CREATE TABLE parted (LIKE houses) PARTITION BY HASH (id);
	CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	INSERT INTO parted SELECT * FROM houses;});
check('partitioned', '', 'parted');

# And it is the rows that count: one cell changed, one seed changed, other bytes.
isnt(train('', 'linear_regression', q{'SELECT id, CASE WHEN id = 77 THEN area + 0.5 ELSE area END AS area, rooms, quarter, built, sold, age, garden, price, quick FROM houses',
	'price', 'linear_regression', exclude => '{quick}'}), $expected{linear_regression}, 'another cell, other bytes');
isnt(train('', 'other_seed', qq{'houses', $training{linear_regression}, seed => 1}), $expected{linear_regression}, 'another seed, other bytes');

done_testing();

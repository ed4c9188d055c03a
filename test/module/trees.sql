CREATE FUNCTION core_trees_difference(seed int, trees int, leaves int, columns int, categories int, levels int, outputs int, leaf_values int, thresholds int,
	wide boolean) RETURNS text AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT;

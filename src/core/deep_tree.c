/*
 * deep_tree.c
 *		What is done with a deep tree that has been grown: rows led to leaves, pruning, handing it over to an ensemble.
 */
#include "postgres.h"

#include "core/deep.h"
#include "core/tree_internal.h"

static inline bool
set_has(const DeepSet *set, int bin)
{
	return (set->left[bin >> 6] >> (bin & 63)) & 1;
}

int
deep_leaf(const DeepTree *tree, const uint8 *const *bin)
{
	const DeepNode *node = tree->node;

	while (node->left != 0)
	{
		uint8		b = bin[node->column / GROUP_COLUMNS][node->column % GROUP_COLUMNS];
		bool		left = b == BIN_MISSING ? node->missing_left :
			node->cut >= 0 ? b <= node->cut : set_has(&tree->set[-1 - node->cut], b);

		node = &tree->node[node->left + !left];
	}
	return (int) (node - tree->node);
}

/* Below nodes that are cut, everything has the value of the one that is. */
static void
cut_nodes(DeepTree *tree, const bool *cut)
{
	bool	   *below = tree_array(tree->nnodes, sizeof(bool));	/* a node that is cut */
	Size		bytes = sizeof(float) * tree->nvalues;

	for (int i = 0; i < tree->nnodes; i++)
	{
		DeepNode   *node = &tree->node[i];

		if (node->left == 0 || !(cut[i] || below[i]))
			continue;
		for (uint32 child = node->left; child < node->left + 2; child++)
		{
			below[child] = true;
			memcpy(tree->value + (Size) child * tree->nvalues, tree->value + (Size) i * tree->nvalues, bytes);
		}
		node->left = 0;
	}
	pfree(below);
}

/* One sweep from the last node to the first finds the smallest of the best subtrees: a branch costs what its best leaves cost, or what it costs cut. */
void
deep_prune(DeepTree *tree, double alpha)
{
	double	   *cost = tree_array(tree->nnodes, sizeof(double));
	bool	   *cut = tree_array(tree->nnodes, sizeof(bool));

	for (int i = tree->nnodes; i-- > 0;)
	{
		const DeepNode *node = &tree->node[i];
		double		kept = node->left != 0 ? cost[node->left] + cost[node->left + 1] : 0;

		cost[i] = tree->risk[i] + alpha;
		if (node->left == 0)
			continue;
		if (cost[i] <= kept)
			cut[i] = true;
		else
			cost[i] = kept;
	}
	cut_nodes(tree, cut);
	pfree(cost);
	pfree(cut);
}

/* The codes whose bins go left. */
static uint32
append_category(const DeepTree *tree, const DeepNode *node, const ColumnBins *column, Trees *trees, uint32 at, uint32 *set)
{
	const DeepSet *bins = &tree->set[-1 - node->cut];

	memset(set, 0, sizeof(uint32) * tree_set_words(column->levels));
	for (int c = 0; c < column->levels; c++)
		if (set_has(bins, column->bin_of[c]))
			set[c >> 5] |= (uint32) 1 << (c & 31);
	return trees_split_category(trees, at, node->column, set, node->missing_left, node->gain);
}

static int
most_levels(const Bins *bins)
{
	int			most = 1;

	for (int j = 0; j < bins->ncolumns; j++)
		most = Max(most, bins->column[j].levels);
	return most;
}

void
deep_append(const DeepTree *tree, const Bins *bins, double offset, Trees *trees)
{
	uint32	   *at = tree_array(tree->nnodes, sizeof(uint32));	/* node + 1 in the ensemble; 0: not reached */
	uint32	   *set = tree_array(tree_set_words(most_levels(bins)), sizeof(uint32));

	at[0] = trees_begin(trees) + 1;
	for (int i = 0; i < tree->nnodes; i++)
	{
		const DeepNode *node = &tree->node[i];
		const ColumnBins *column = &bins->column[node->column];
		uint32		left;

		if (at[i] == 0)
			continue;
		trees->cover[at[i] - 1] = node->rows;
		if (node->left == 0)
		{
			for (int k = 0; k < tree->nvalues; k++)
				trees->value[(Size) (at[i] - 1) * tree->nvalues + k] = offset + tree->value[(Size) i * tree->nvalues + k];
			continue;
		}
		left = node->cut < 0 ? append_category(tree, node, column, trees, at[i] - 1, set) :
			trees_split_number(trees, at[i] - 1, node->column, column->edge[node->cut], node->missing_left, node->gain);
		at[node->left] = left + 1;
		at[node->left + 1] = left + 2;
	}
	pfree(at);
	pfree(set);
}

/* ---- a tree in memory that others see: counts, sets, nodes, values ---- */

typedef struct StoredTree
{
	int			nnodes;
	int			nsets;
} StoredTree;

Size
deep_bytes(const DeepTree *tree)
{
	Size		node = sizeof(DeepNode) + sizeof(float) * tree->nvalues;

	return MAXALIGN(sizeof(StoredTree) + sizeof(DeepSet) * tree->nsets + node * tree->nnodes);
}

DeepTree
deep_stored(char *bytes, int nvalues)
{
	const StoredTree *stored = (const StoredTree *) bytes;
	DeepTree	tree = {.nnodes = stored->nnodes,.nsets = stored->nsets,.nvalues = nvalues};

	tree.set = (DeepSet *) (bytes + sizeof(StoredTree));
	tree.node = (DeepNode *) (tree.set + tree.nsets);
	tree.value = (float *) (tree.node + tree.nnodes);
	return tree;
}

void
deep_store(const DeepTree *tree, char *bytes)
{
	DeepTree	to;

	*(StoredTree *) bytes = (StoredTree) {tree->nnodes, tree->nsets};
	to = deep_stored(bytes, tree->nvalues);
	if (tree->nsets > 0)
		memcpy(to.set, tree->set, sizeof(DeepSet) * tree->nsets);
	memcpy(to.node, tree->node, sizeof(DeepNode) * tree->nnodes);
	memcpy(to.value, tree->value, sizeof(float) * tree->nvalues * tree->nnodes);
}

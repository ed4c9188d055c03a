/*
 * tree_flatten.c
 *		An ensemble as bytes: nodes in preorder, thresholds as numbers of a table of each column's distinct ones.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "core/sort.h"
#include "core/tree_internal.h"

#define WIDE_THRESHOLDS 1		/* flags of an ensemble: doubles, not single precision */
#define WIDE_VALUES 2
#define ALL_COVERS 4			/* every node's cover as a double; else those of leaves, as whole numbers that add up */
#define LAST_FLAGS 7

#define KIND_BITS 3				/* of a node's tag */
#define MISSING_RIGHT 4
#define LEAST_NODE_BYTES 6

static bool
fits_single(double value)
{
	return (double) (float) value == value;
}

/* ---- varying length: seven bits a byte, low ones first ---- */

static void
put_varint(ByteWriter *w, uint64 value)
{
	for (; value >= 0x80; value >>= 7)
		put_u8(w, (uint8) (value | 0x80));
	put_u8(w, (uint8) value);
}

static uint64
get_varint(ByteReader *r, uint64 limit)
{
	uint64		value = 0;

	for (int shift = 0; shift < 63; shift += 7)
	{
		uint8		byte = get_u8(r);

		value |= (uint64) (byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (value > limit)
			break;
		return value;
	}
	damaged(r, "A number in the trees is beyond its limit of %llu.", (unsigned long long) limit);
}

static void
put_f32(ByteWriter *w, float value)
{
	uint32		bits;

	memcpy(&bits, &value, sizeof(bits));
	put_u32(w, bits);
}

static float
get_f32(ByteReader *r)
{
	uint32		bits = get_u32(r);
	float		value;

	memcpy(&value, &bits, sizeof(value));
	if (!isfinite(value))
		damaged(r, "A number in the trees is not finite.");
	return value;
}

static void
put_real(ByteWriter *w, double value, bool wide)
{
	if (wide)
		put_f64(w, value);
	else
		put_f32(w, (float) value);
}

static double
get_real(ByteReader *r, bool wide)
{
	return wide ? get_finite(r) : get_f32(r);
}

/* ---- writing ---- */

static uint8
find_flags(const Trees *trees)
{
	uint8		flags = 0;

	for (int i = 0; i < trees->nnodes; i++)
	{
		const TreeNode *node = &trees->node[i];
		double		cover = trees->cover[i];

		if (node->kind == TREE_NUMBER && !fits_single(node->threshold))
			flags |= WIDE_THRESHOLDS;
		for (int k = 0; k < trees->nvalues; k++)
			if (node->kind == TREE_LEAF && !fits_single(trees->value[(Size) i * trees->nvalues + k]))
				flags |= WIDE_VALUES;
		if (!(cover >= 0 && cover <= PG_UINT32_MAX && cover == floor(cover)) ||
			(node->kind != TREE_LEAF && cover != trees->cover[node->left] + trees->cover[node->left + 1]))
			flags |= ALL_COVERS;
	}
	return flags;
}

static void
put_leaf(const Trees *trees, uint32 i, uint8 flags, ByteWriter *w)
{
	for (int k = 0; k < trees->nvalues; k++)
		put_real(w, trees->value[(Size) i * trees->nvalues + k], flags & WIDE_VALUES);
	if (!(flags & ALL_COVERS))
		put_varint(w, (uint64) trees->cover[i]);
}

static void
put_node(const Trees *trees, uint32 i, const TreeThresholds *table, uint8 flags, ByteWriter *w)
{
	const TreeNode *node = &trees->node[i];

	put_u8(w, node->kind | (node->missing_right ? MISSING_RIGHT : 0));
	if (flags & ALL_COVERS)
		put_f64(w, trees->cover[i]);
	if (node->kind == TREE_LEAF)
	{
		put_leaf(trees, i, flags, w);
		return;
	}
	put_varint(w, node->column);
	if (node->kind == TREE_NUMBER)
		put_varint(w, tree_threshold_index(table, node->column, node->threshold));
	else
		for (int k = 0; k < tree_set_words(trees->levels[node->column]); k++)
			put_u32(w, trees->words[trees->set[i] + k]);
	put_f32(w, trees->gain[i]);
}

/* Nodes still to come in preorder; at most one a level, and one more. */
typedef struct Waiting
{
	int			n;
	uint32		node[TREE_MAX_DEPTH + 2];
	int			depth[TREE_MAX_DEPTH + 2];
} Waiting;

/* False where the children are too deep. */
static bool
wait_for_children(Waiting *waiting, uint32 left, int depth)
{
	if (depth > TREE_MAX_DEPTH)
		return false;
	for (int right = 1; right >= 0; right--)
	{
		waiting->node[waiting->n] = left + right;
		waiting->depth[waiting->n++] = depth;
	}
	return true;
}

static void
put_tree(const Trees *trees, int tree, const TreeThresholds *table, uint8 flags, ByteWriter *w)
{
	Waiting		waiting = {.n = 1,.node = {trees->first[tree]}};

	while (waiting.n > 0)
	{
		uint32		i = waiting.node[--waiting.n];

		put_node(trees, i, table, flags, w);
		if (trees->node[i].kind == TREE_LEAF)
			continue;
		if (!wait_for_children(&waiting, trees->node[i].left, waiting.depth[waiting.n] + 1))
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("a tree is more than %d splits deep", TREE_MAX_DEPTH)));
	}
}

void
trees_flatten(const Trees *trees, ByteWriter *w)
{
	uint8		flags = find_flags(trees);
	TreeThresholds table;

	tree_thresholds(trees, &table);
	put_u32(w, trees->ntrees);
	put_u32(w, trees->nnodes);
	put_u32(w, trees->nvalues);
	put_u8(w, flags);
	for (int k = 0; k < trees->noutputs; k++)
		put_f64(w, trees->base[k]);
	for (int j = 0; j < trees->ncolumns; j++)
	{
		put_varint(w, table.start[j + 1] - table.start[j]);
		for (uint32 i = table.start[j]; i < table.start[j + 1]; i++)
			put_real(w, table.value[i], flags & WIDE_THRESHOLDS);
	}
	for (int t = 0; t < trees->ntrees; t++)
	{
		CHECK_FOR_INTERRUPTS();
		put_tree(trees, t, &table, flags, w);
	}
	tree_thresholds_free(&table);
}

/* ---- reading: everything is distrusted ---- */

static void
get_thresholds(ByteReader *r, const Trees *trees, uint8 flags, uint32 most, TreeThresholds *table)
{
	Size		width = flags & WIDE_THRESHOLDS ? sizeof(double) : sizeof(float);
	Size		room = Min((Size) (r->end - r->at) / width, most);
	uint32		n = 0;

	table->start = tree_array(trees->ncolumns + 1, sizeof(uint32));
	table->value = tree_array(room, sizeof(double));
	for (int j = 0; j < trees->ncolumns; j++)
	{
		uint64		count = get_varint(r, room - n);

		if (trees->levels[j] > 0 && count > 0)
			damaged(r, "Column %d of the trees holds categories and has thresholds.", j);
		table->start[j] = n;
		for (uint64 i = 0; i < count; i++, n++)
		{
			table->value[n] = get_real(r, flags & WIDE_THRESHOLDS);
			if (i > 0 && !(table->value[n] > table->value[n - 1]))
				damaged(r, "The thresholds of column %d are not in order.", j);
		}
	}
	table->start[trees->ncolumns] = n;
}

static void
get_leaf(ByteReader *r, Trees *trees, uint32 i, uint8 flags)
{
	for (int k = 0; k < trees->nvalues; k++)
		trees->value[(Size) i * trees->nvalues + k] = get_real(r, flags & WIDE_VALUES);
	if (!(flags & ALL_COVERS))
		trees->cover[i] = (double) get_varint(r, PG_UINT32_MAX);
}

static uint32
get_set_split(ByteReader *r, Trees *trees, uint32 i, int column, bool missing_left)
{
	int			nwords = tree_set_words(trees->levels[column]);
	int			tail = trees->levels[column] % 32;
	uint32	   *set = palloc(sizeof(uint32) * nwords);
	uint32		left;

	for (int k = 0; k < nwords; k++)
		set[k] = get_u32(r);
	if (tail != 0 && set[nwords - 1] >> tail != 0)
		damaged(r, "A category split names a level that column %d does not have.", column);
	left = trees_split_category(trees, i, column, set, missing_left, get_f32(r));
	pfree(set);
	return left;
}

/* A split's payload; returns its left child. */
static uint32
get_split(ByteReader *r, Trees *trees, uint32 i, TreeNodeKind kind, bool missing_left, const TreeThresholds *table)
{
	int			column = trees->ncolumns > 0 ? (int) get_varint(r, trees->ncolumns - 1) : -1;
	uint32		count;

	if (column < 0)
		damaged(r, "A tree splits, but there is no column.");
	if ((kind == TREE_CATEGORY) != (trees->levels[column] > 0))
		damaged(r, "A split does not fit the kind of column %d.", column);
	if (kind == TREE_CATEGORY)
		return get_set_split(r, trees, i, column, missing_left);
	count = table->start[column + 1] - table->start[column];
	if (count == 0)
		damaged(r, "Column %d is split, but has no threshold.", column);
	count = (uint32) get_varint(r, count - 1);
	return trees_split_number(trees, i, column, table->value[table->start[column] + count], missing_left, get_f32(r));
}

/* One node; returns its left child, or 0 for a leaf. */
static uint32
get_node(ByteReader *r, Trees *trees, uint32 i, uint8 flags, uint32 nnodes, const TreeThresholds *table)
{
	uint8		tag = get_u8(r);
	TreeNodeKind kind = tag & KIND_BITS;

	if (tag > (MISSING_RIGHT | TREE_CATEGORY) || kind > TREE_CATEGORY || tag == (MISSING_RIGHT | TREE_LEAF))
		damaged(r, "A node of a tree is of the unknown kind %d.", tag);
	if (flags & ALL_COVERS)
		trees->cover[i] = get_finite(r);
	if (kind == TREE_LEAF)
	{
		get_leaf(r, trees, i, flags);
		return 0;
	}
	if ((uint32) trees->nnodes + 2 > nnodes)
		damaged(r, "The trees have more than the %u nodes they announce.", nnodes);
	return get_split(r, trees, i, kind, !(tag & MISSING_RIGHT), table);
}

static void
get_tree(ByteReader *r, Trees *trees, uint8 flags, uint32 nnodes, const TreeThresholds *table)
{
	Waiting		waiting = {.n = 1};

	if ((uint32) trees->nnodes >= nnodes)
		damaged(r, "The trees have more than the %u nodes they announce.", nnodes);
	waiting.node[0] = trees_begin(trees);
	while (waiting.n > 0)
	{
		uint32		left = get_node(r, trees, waiting.node[--waiting.n], flags, nnodes, table);

		if (left != 0 && !wait_for_children(&waiting, left, waiting.depth[waiting.n] + 1))
			damaged(r, "A tree is more than %d splits deep.", TREE_MAX_DEPTH);
	}
}

/* The covers of splits from those of their leaves. */
static void
add_covers(Trees *trees)
{
	for (int i = trees->nnodes; i-- > 0;)
		if (trees->node[i].kind != TREE_LEAF)
			trees->cover[i] = trees->cover[trees->node[i].left] + trees->cover[trees->node[i].left + 1];
}

Trees *
trees_unflatten(ByteReader *r, int ncolumns, const int *levels, int noutputs)
{
	uint32		ntrees = get_count(r, LEAST_NODE_BYTES, TREE_MAX_NODES);
	uint32		nnodes = get_count(r, LEAST_NODE_BYTES, TREE_MAX_NODES);
	uint32		nvalues = get_u32(r);
	uint8		flags = get_u8(r);
	TreeThresholds table;
	Trees	   *trees;

	if (nvalues != 1 && nvalues != (uint32) noutputs)
		damaged(r, "The leaves of the trees have %u values for %d scores.", nvalues, noutputs);
	if (flags > LAST_FLAGS)
		damaged(r, "The trees have the unknown flags %d.", flags);
	if ((uint64) nnodes * nvalues > (uint64) (r->end - r->at) + nvalues)
		damaged(r, "The trees end early.");
	trees = trees_create(ncolumns, levels, noutputs, (int) nvalues);
	for (int k = 0; k < noutputs; k++)
		trees->base[k] = get_finite(r);
	get_thresholds(r, trees, flags, nnodes, &table);
	for (uint32 t = 0; t < ntrees; t++)
	{
		CHECK_FOR_INTERRUPTS();
		get_tree(r, trees, flags, nnodes, &table);
	}
	if ((uint32) trees->nnodes != nnodes)
		damaged(r, "The trees have %d nodes, not the %u they announce.", trees->nnodes, nnodes);
	if (!(flags & ALL_COVERS))
		add_covers(trees);
	tree_prepare(trees, &table);
	tree_thresholds_free(&table);
	return trees;
}

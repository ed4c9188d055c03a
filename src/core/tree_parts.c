/*
 * tree_parts.c
 *		Cutting trees into parts of at most 32 leaves, whose tests are made together for a row alone.
 *
 * A part grows from its root by the split that most training rows came through, so that a row goes through few parts.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "core/tree_plan_internal.h"

/* Where a part begins. */
typedef struct Root
{
	uint32		tree;
	uint32		node;
} Root;

typedef struct Cutting
{
	Planning   *p;
	Root	   *root;			/* of parts, those still to be made included */
	uint32		nroots;
	uint32		root_room;
	TreePart   *made;			/* not aligned */
	uint32		nmade;
	uint32		part_room,
				exit_room;
	bool	   *inside;			/* (nodes of the largest tree) splits of the part in the making */

	/* the part in the making */
	uint32		tree;
	TreePart   *part;
	uint32	   *exit;
	int			ntests;
	int			nexits;
} Cutting;

static void
add_root(Cutting *c, uint32 tree, uint32 node)
{
	c->root = tree_extend(c->root, c->nroots, 1, &c->root_room, sizeof(Root));
	c->root[c->nroots++] = (Root) {tree, node};
}

/* Which splits, from the root on, make up the part. */
static void
choose_inside(Cutting *c, uint32 root)
{
	const Trees *trees = c->p->trees;
	uint32		first = trees->first[c->tree];
	uint32		edge[TREE_PART_LEAVES] = {root};

	for (int n = 1; n < TREE_PART_LEAVES + 1; n++)
	{
		int			best = -1;

		for (int i = 0; i < n && n < TREE_PART_LEAVES; i++)
			if (trees->node[edge[i]].kind != TREE_LEAF && (best < 0 || trees->cover[edge[i]] > trees->cover[edge[best]]))
				best = i;
		if (best < 0)
			return;
		c->inside[edge[best] - first] = true;
		edge[n] = trees->node[edge[best]].left + 1;
		edge[best] = trees->node[edge[best]].left;
	}
}

/* The leaves of the part from .. to-1, as bits. */
static uint32
leaves_between(int from, int to)
{
	return (uint32) (((UINT64CONST(1) << to) - 1) & ~((UINT64CONST(1) << from) - 1));
}

static void
add_test(Cutting *c, uint32 i, uint32 struck)
{
	const TreeNode *node = &c->p->trees->node[i];
	int			lane = c->ntests++;

	if (node->kind == TREE_CATEGORY)
	{
		tree_plan_choice(c->p, i, struck);
		return;
	}
	c->part->line[lane] = (uint8) c->p->slot_of[node->column];
	c->part->right_from[lane] = tree_right_from(c->p, node);
	c->part->missing_right[lane] = node->missing_right ? 0xff : 0;
	for (int plane = 0; plane < TREE_PART_PLANES; plane++)
		c->part->strike[plane][lane] = (uint8) (struck >> (plane * TREE_PLANE_LEAVES));
}

static void
add_exit(Cutting *c, uint32 i)
{
	uint32	   *to = &c->exit[c->nexits++];

	if (c->p->trees->node[i].kind == TREE_LEAF)
	{
		*to = c->p->leaf_of[i];
		return;
	}
	*to = TREE_NEXT_PART | c->nroots;
	add_root(c, c->tree, i);
}

/* The tests and exits below a node, from left to right; at most as deep as a part has tests. */
static void
lay_out(Cutting *c, uint32 i)
{
	uint32		left = c->p->trees->node[i].left;
	bool	   *inside = &c->inside[i - c->p->trees->first[c->tree]];
	int			from = c->nexits;

	if (!*inside)
	{
		add_exit(c, i);
		return;
	}
	*inside = false;
	lay_out(c, left);
	add_test(c, i, leaves_between(from, c->nexits));
	lay_out(c, left + 1);
}

static void
make_part(Cutting *c, Root root)
{
	TreePlan   *plan = c->p->plan;

	c->made = tree_extend(c->made, c->nmade, 1, &c->part_room, sizeof(TreePart));
	plan->exit = tree_extend(plan->exit, c->nmade * TREE_PART_LEAVES, TREE_PART_LEAVES, &c->exit_room, sizeof(uint32));
	c->tree = root.tree;
	c->part = &c->made[c->nmade];
	c->exit = &plan->exit[c->nmade * TREE_PART_LEAVES];
	c->nmade++;
	memset(c->part, 0, sizeof(TreePart));
	memset(c->exit, 0, sizeof(uint32) * TREE_PART_LEAVES);
	c->ntests = c->nexits = 0;
	c->part->first_choice = c->p->nchoices;
	choose_inside(c, root.node);
	lay_out(c, root.node);
	c->part->nchoices = c->p->nchoices - c->part->first_choice;
}

/* The largest of these trees, in nodes. */
static uint32
most_nodes(const Planning *p)
{
	uint32		most = 0;

	for (uint32 i = 0; i < p->plan->nparted; i++)
		most = Max(most, p->trees->first[p->plan->parted[i] + 1] - p->trees->first[p->plan->parted[i]]);
	return most;
}

void
tree_plan_parts(Planning *p)
{
	TreePlan   *plan = p->plan;
	Cutting		c = {.p = p,.inside = tree_array(most_nodes(p), sizeof(bool))};

	for (uint32 i = 0; i < plan->nparted; i++)
		add_root(&c, plan->parted[i], p->trees->first[plan->parted[i]]);
	while (c.nmade < c.nroots)
	{
		CHECK_FOR_INTERRUPTS();
		make_part(&c, c.root[c.nmade]);
	}
	plan->part = tree_aligned(TYPEALIGN(4, c.nmade), sizeof(TreePart));
	if (c.nmade == 0)
		return;
	memcpy(plan->part, c.made, sizeof(TreePart) * c.nmade);
	plan->sums = p->trees->noutputs == 1 && !plan->has_choices && plan->nparted == (uint32) p->trees->ntrees && c.nmade == plan->nparted;
	pfree(c.made);
	pfree(c.root);
	pfree(c.inside);
}

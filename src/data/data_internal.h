/*
 * data_internal.h
 *		What the files of the data room share.
 */
#ifndef RELEARN_DATA_INTERNAL_H
#define RELEARN_DATA_INTERNAL_H

#include "datatype/timestamp.h"

#include "core/bytes.h"
#include "data/data.h"

/* What a CellReader does with a datum.  Numbers come first, texts of categories after OP_FIRST_TEXT. */
typedef enum CellOp
{
	OP_INT2,
	OP_INT4,
	OP_INT8,
	OP_FLOAT4,
	OP_FLOAT8,
	OP_NUMERIC,
	OP_BOOL,
	OP_DATE,
	OP_TIMESTAMP,
	OP_TIMESTAMPTZ,
	OP_TIME,
	OP_INTERVAL,
	OP_PARSED_TEXT,				/* text read as a number */
	OP_FIRST_TEXT,
	OP_TEXT = OP_FIRST_TEXT,
	OP_BPCHAR,
	OP_ENUM,
	OP_UUID,
	OP_TEXT_OF_NUMBER			/* any other type, shown */
} CellOp;

/* The offset of local time from UTC at an instant, with the answers kept by stretch of time. */
typedef struct ZoneCache ZoneCache;
extern ZoneCache *zone_cache_create(pg_tz *zone);
extern int64 zone_offset(ZoneCache *cache, int64 timestamp);	/* microseconds to add; timestamp is finite */

/* As extract(epoch): a year counts 365.25 days, a month beyond the years 30.  Infinite ones (from 17 on) are NaN. */
extern double interval_seconds(const Interval *span);

/* Text -> cells of the three kinds; false where the text is no such value.  The text is free of blanks around it. */
extern bool parse_timestamp(const char *text, pg_tz *zone, double *cell);
extern bool parse_time(const char *text, double *cell);
extern bool parse_interval(const char *text, double *cell);

/* ---- which column of the source plays which part ---- */
typedef struct Roles
{
	int			nfeatures;
	int		   *feature;		/* (nfeatures) 0-based columns of the source, ascending; likewise below, -1 = none */
	ColumnKind *feature_kind;	/* (nfeatures) */
	bool	   *feature_aside;	/* (nfeatures) */
	int			target;
	int			key;
	int			time;
	int			weight;
	int			group;
	int			stratum;
} Roles;

/* Find and check the columns a request names; the source is narrowed to those that are needed. */
extern void roles_resolve(const FrameRequest *request, Source *source, Roles *roles);

/* ---- what is kept of each row while a frame is loaded, beside its cells ---- */
typedef enum Side
{
	SIDE_CONTENT,				/* hash of the cells */
	SIDE_KEY,					/* hash of the key; only with a key */
	SIDE_TIME,					/* sortable_double of the time, 0 = missing; only with a time column */
	SIDE_GROUP,					/* hash of the group; only with a group column */
	SIDE_STRATUM				/* code of the stratum, as in frame->strata; only with a column of strata */
} Side;

#define NSIDES 5

typedef struct RowSides
{
	int			slot[NSIDES];	/* place of each side in a chunk, -1 where it is not kept */
	int			nslots;
	uint64	  **chunk;			/* (nslots, FRAME_CHUNK_ROWS) each */
} RowSides;

static inline uint64 *
row_side(const RowSides *sides, Side side, uint32 row)
{
	return &sides->chunk[row >> FRAME_CHUNK_BITS][sides->slot[side] * FRAME_CHUNK_ROWS + (row & (FRAME_CHUNK_ROWS - 1))];
}

/* Bytes per row that ordering takes for a while; frame->order keeps sizeof(uint32) of them. */
#define ORDER_BYTES_PER_ROW (2 * (sizeof(uint64) + sizeof(uint32)))
#define ORDER_BYTES_KEPT sizeof(uint32) /* of frame->order, or frame->position */

/* Fill frame->order and frame->part_start; the bytes are booked already.  strata: what the codes of SIDE_STRATUM stand for, or NULL. */
extern void frame_order(Frame *frame, const RowSides *sides, Dictionary *strata, const FrameRequest *request);

/* The gap before later parts in the unit of the time column: microseconds, or whatever a number counts.  0: none. */
extern double gap_width(const FrameRequest *request, ColumnKind kind);

/* An error where the time column is of another kind than what earlier versions were cut by. */
extern void check_time_bounds(const FrameRequest *request, ColumnKind kind);

/* ---- rows in a temporary file; in spill.c ---- */

/* The codes of a category by row of arrival: code (narrived). */
extern void spill_codes(const Frame *frame, int cell, uint32 *code);

extern void spill_gather(const Frame *frame, int first, int ncells, int64 start, int64 n, double *values);
extern void spill_scan(const Frame *frame, int64 start, int64 end, FrameBlock block, void *state);
extern void spill_drop(Frame *frame);

/* A line for the user, kept in the frame. */
extern void frame_warning(Frame *frame, const char *format,...) printf_like(2, 3);

#endif

/*
 * train_internal.h
 *		What the files of the training room share: the options of a call, the design matrix, results as rows and JSON.
 */
#ifndef RELEARN_TRAIN_INTERNAL_H
#define RELEARN_TRAIN_INTERNAL_H

#include "fmgr.h"
#include "nodes/bitmapset.h"
#include "utils/jsonb.h"

#include "core/bins.h"
#include "core/json_number.h"
#include "core/json_type.h"
#include "data/data.h"
#include "learn/learner.h"
#include "metrics/metrics.h"
#include "model/model.h"
#include "registry/registry.h"

/* ---- options.c ---- */

/* Weights of classes: none, 'balanced' (n / (k * n_class)), or one per named label (others 1). */
typedef struct ClassWeights
{
	bool		balanced;
	int			n;
	char	  **label;
	double	   *weight;
} ClassWeights;

/* What becomes of training rows of unbalanced classes. */
typedef enum ResampleMethod
{
	RESAMPLE_NONE,
	RESAMPLE_OVER,
	RESAMPLE_UNDER,
	RESAMPLE_SMOTE,
	RESAMPLE_SMOTENC
} ResampleMethod;

typedef enum Correction
{
	CORRECT_BY_DEFAULT,
	CORRECT_NO,
	CORRECT_YES
} Correction;

typedef struct ResampleOptions
{
	ResampleMethod method;
	double		ratio;			/* of a smaller class to the largest */
	int			neighbors;
	Correction	correct;		/* probabilities, for shares that resampling or weights changed */
} ResampleOptions;

/* Parameters every algorithm takes beside its own. */
typedef struct TrainingOptions
{
	int			max_categories;
	char	   *time_zone;
	char	   *metric;			/* NULL: the task's default */
	ClassWeights class_weight;
	ResampleOptions resample;
	bool		checks;			/* warn of what the checks find */
} TrainingOptions;

/* A row of ml.parameters() for those; the learners' own come from their tables. */
typedef struct TrainingParameter
{
	const char *name;
	uint32		tasks;			/* bitmask of Task it is for */
	const char *type;
	const char *fallback;		/* default as text; NULL where there is none */
	const char *help;
} TrainingParameter;

extern const TrainingParameter training_parameters[];
extern const int ntraining_parameters;

/*
 * Fill the learner's options struct and the common options from the caller's jsonb (NULL: all defaults).  An unrecognized name, a wrong type
 * or a value out of range is an error that lists what is valid.
 */
extern void *options_parse(const Learner *learner, Jsonb *params, TrainingOptions *common);

/* The common options alone, before the algorithm is known: other names are left for options_parse. */
extern void common_options_parse(Jsonb *params, TrainingOptions *common);

/* {"parameter": value, ...} of everything that was in force, as text. */
extern char *options_json(const Learner *learner, const void *options, const TrainingOptions *common);

extern const Learner *learner_or_fail(const char *name);

/* ---- parameters.c ---- */
extern const char *parameter_type_name(ParameterType type);

/* By name or alias; NULL where there is none. */
extern const Parameter *parameter_find(const Parameter *table, int n, const char *name);

/* Into its field of the options struct: the value checked, or the default. */
extern void parameter_set(const Parameter *p, const JsonbValue *value, void *options);
extern void parameter_reset(const Parameter *p, void *options);

/* A parameter goes with neither itself nor another one that says the same; given: members of the table. */
extern void refuse_given(const Parameter *table, const Bitmapset *given, const Parameter *p, const char *key);

/* Walk the top level of an object; anything else is an error that names the argument. */
typedef void (*JsonField) (const char *key, JsonbValue *value, void *state);
extern void each_field(JsonbContainer *container, const char *argument, JsonField field, void *state);

extern bool json_is_object(const JsonbValue *value);
extern bool json_is_array(const JsonbValue *value);
extern int	json_list_length(const JsonbValue *value);
extern JsonbValue *json_element(const JsonbValue *array, int i);
extern double json_number(const char *name, const JsonbValue *value);
extern char *json_text(const char *name, const JsonbValue *value);
extern bool json_bool(const char *name, const JsonbValue *value);

/* ---- preprocess.c ---- */

/* The preprocess argument, not yet compared with the columns there are. */
typedef struct Preprocess
{
	List	   *categories;		/* of char *: columns to be read as such */
	List	   *numbers;
	List	   *prepared;		/* of char *: columns with steps of their own */
	List	   *needed;			/* of char *: columns derived features are made of */
	List	   *specs;			/* of FeatureSpec *, in the order of their names */
} Preprocess;

extern void preprocess_parse(Jsonb *preprocess, Preprocess *into);

/* The transform of a step's name; "column" is for the message, NULL without one. */
extern const Transform *transform_or_fail(const char *column, const char *name, const TransformAlias **alias);

/* ---- split.c: the split argument ---- */

/* Fill what the argument says of a rule whose other members are set; NULL: the default.  False where it names no shares. */
extern bool split_parse(Jsonb *split, SplitRule *rule);

/* What the rule, and the one whose test rows are locked (NULL: none are), mean to loading the rows. */
extern void split_request(const SplitRule *rule, const SplitRule *locked, FrameRequest *request);

/* The rule in force, with what was found out while the rows were split, and what of the locked one (NULL: none is) still holds. */
extern void split_found(const Frame *frame, const char *time_zone, const SplitRule *locked, SplitRule *rule);

/* Rows that only their content places change sides when the columns do. */
extern char *split_moved(const Frame *frame, const SplitRule *rule, const SplitRule *locked);

/* ---- design.c ---- */

/* The rows as design rows: prepared again on each pass, or once and kept, or as bins. */
typedef struct Design
{
	const Frame *frame;
	const Features *features;
	int		  **recode;
	double	   *cells;			/* (DESIGN_BLOCK, ninputs) */
	double	   *block;			/* (DESIGN_BLOCK, noutputs) */
	double	   *kept;			/* (n_train, noutputs), or NULL */
	Bins	   *bins;			/* of all rows; the frame's are gone then; or NULL */
} Design;

extern Design *design_create(const Frame *frame, const Features *features, int **recode);
extern const double *design_rows(void *design, int64 start, int count);

/* The part's rows need not be prepared again: design_rows has them ready. */
extern bool design_has(const Design *design, Part part);

/* Rows start .. start+count-1 of the frame as the model's cells: (count, ninputs); count <= DESIGN_BLOCK. */
extern const double *design_cells(Design *design, int64 start, int count);

/* What recognises training rows later; in statistics.c. */
typedef struct BottomK BottomK;

/* A training from its arguments to its results. */
typedef struct Training
{
	/* the call */
	char	   *name;
	char	   *algorithm;
	char	   *positive_class;
	char	   *note;
	Jsonb	   *params;
	FrameRequest request;
	Preprocess	preprocess;
	SplitRule	split;
	const SplitRule *locked;	/* what earlier versions were split by, where their test rows stay locked; NULL */
	Budget		budget;
	char	   *arguments;		/* as JSON, for a retraining; without the split */

	/* made on the way */
	Frame	   *frame;
	const Learner *learner;
	void	   *options;
	TrainingOptions common;
	Task		task;
	int			nclasses;
	int		   *class_of;		/* level of the frame's target -> class; -1 for levels no training row has */
	Features   *features;
	Design	   *design;
	ColumnSummary *summaries;	/* (ninputs) of the training rows */
	double	   *target;			/* (nrows) value or class; -1 for classes no training row has */
	double	   *weight;			/* (n_train + n_validation) or NULL */
	double	   *class_weight;	/* (nclasses) or NULL; it is in weight */
	struct Resampled *resampled;	/* training rows the learner sees instead, or NULL */
	TrainingSet set;
	Model	   *model;
	Model	   *baseline;		/* the same, but for learner and state */
	BottomK    *sketch;			/* of the training rows */
	List	   *warnings;

	/* results */
	const Metric *metric;
	double		score,
				baseline_score;
	StringInfoData metrics;		/* as JSON */
} Training;

/* Prepare all training rows at once, in memory booked against the budget, and sketch them. */
extern void design_keep(Training *t);

/* Turn all rows into bins as the learner wants them, sketch those for training, and give the frame's rows back. */
extern void design_code(Training *t);

#define NANOMALY_CLASSES 2		/* of a model without a target: "normal" and "anomaly" */

/* ---- train.c ---- */

/* From the arguments to a training set; without a name nothing is locked. */
extern void training_prepare(Training *t);

/* ---- arguments.c ---- */
extern void read_arguments(FunctionCallInfo fcinfo, Training *t);
extern List *names_argument(FunctionCallInfo fcinfo, int arg, const char *name);	/* text[] -> List of char *; NIL where null */
extern void read_pipeline_arguments(FunctionCallInfo fcinfo, Training *t);

/* ---- train.c: steps of a training that others share ---- */

/* Read and split the rows, away from the test rows of earlier versions of the name. */
extern void load_rows(Training *t);
extern const char *task_name(Task task);
extern Model *new_model(const Training *t);
extern void fit_features(Training *t);

/* ---- targets.c ---- */

/* An error where the split left none. */
extern void check_training_rows(const Training *t);

/* The task and the classes from the frame and the learner; gathers the targets. */
extern void find_task(Training *t);

/* Of training and validation rows; NULL stays where all weigh 1. */
extern void gather_weights(Training *t, const char *const *labels);

/* ---- needs.c ---- */

/* For FrameRequest: the bytes a training from bins takes beside its frame's rows and after them; state is the Training. */
extern FrameNeeds training_needs(const void *state, const Frame *frame, int64 nrows);

/* ---- judge.c ---- */

/* Metrics of every part and of the baseline: fills metrics, score and baseline_score.  Sketches the training rows unless they were kept. */
extern void judge_training(Training *t);
extern Size scores_memory(int64 nrows, int noutputs);

/* ---- resample.c ---- */
typedef struct Resampled Resampled;

/* Take one of its parameters; false where the name is none. */
extern bool resample_option(const char *name, const JsonbValue *value, ResampleOptions *options);

/* Once all are read: refuse what goes not together, fill in defaults. */
extern void resample_options_check(TrainingOptions *common);
extern void resample_append_json(StringInfo out, const ResampleOptions *options);

/* Refused where there are no classes. */
extern void resample_check(const Training *t);

/* Change what the training set shows as training rows, while the frame has its rows; nothing where it was not asked for. */
extern void resample(Training *t);

/* For learners that keep their rows, and for those that learn from bins. */
extern void resampled_keep(Training *t);
extern void resampled_code(Training *t);

/* After training: answers that are not those of the corrected model are corrected or dropped. */
extern void correct_answers(Training *t);

/* ---- statistics.c ---- */

/* Fill the model's baseline statistics, and begin the sketch of its training rows. */
extern void model_statistics(Training *t);

/* All training rows, in blocks: cells (count, ninputs) and targets (count). */
extern void sketch_rows(Training *t, const double *cells, const double *target, int count);

/* Put the sketch into the model. */
extern void sketch_finish(Training *t);

/* ---- output.c ---- */
extern void json_append_string(StringInfo out, const char *text);	/* NULL -> null */
extern void json_append_strings(StringInfo out, List *texts);	/* of char *; NIL -> null */

extern Datum texts_datum(List *texts);	/* List of char * -> text[] */

#define MAX_LISTED 12

/* A row under construction for a materialised result. */
typedef struct ListRow
{
	int			n;
	Datum		value[MAX_LISTED];
	bool		null[MAX_LISTED];
} ListRow;

extern void row_add_text(ListRow *row, const char *text);	/* NULL where there is none */
extern void row_add_number(ListRow *row, double value);	/* NaN -> NULL */
extern void row_add_integer(ListRow *row, int64 value);	/* of SQL type bigint */
extern void row_add_bool(ListRow *row, bool value);
extern void row_add_texts(ListRow *row, List *texts);
extern void row_add_numbers(ListRow *row, const double *value, int n);	/* an array */
extern void row_add_parameter(ListRow *row, const Parameter *p);	/* eight columns, as ml.parameters() has them */
extern void row_put(FunctionCallInfo fcinfo, ListRow *row);

/* The model the call's first argument names, pinned until the call's context goes. */
extern Model *listed_model(FunctionCallInfo fcinfo, ModelRight right);

/* ---- listing_trees.c ---- */

struct Trees;

/* The condition under which a row goes to one side of a split, for people.  What is missing goes along where it ends with these words. */
#define OR_MISSING " or missing"
extern char *split_condition(const Model *model, const struct Trees *trees, uint32 parent, bool left);

#endif

/*
 * settings.h
 *		The extension's settings (GUCs); registered in relearn.c.
 */
#ifndef RELEARN_SETTINGS_H
#define RELEARN_SETTINGS_H

extern int	relearn_max_memory;			/* kB one training or evaluation may take */
extern int	relearn_model_cache_size;	/* kB of decoded models one session keeps */

#endif

# relearn: machine learning inside PostgreSQL.  See README.md for the map of the rooms.

EXTENSION = relearn
EXTENSION_VERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" relearn.control)

# Rooms in the order in which their SQL parts make up the install script.
ROOMS = core data features learn model registry metrics stats profile checks synthesis train predict exchange

MODULE_big = relearn
SOURCES = src/relearn.c $(foreach room,$(ROOMS),$(sort $(wildcard src/$(room)/*.c)))
OBJS = $(SOURCES:.c=.o)
SQL_PARTS = src/install.sql $(foreach room,$(ROOMS),$(wildcard src/$(room)/$(room).sql))
BUILT_SCRIPT = $(EXTENSION)--$(EXTENSION_VERSION).sql
DATA_built = $(BUILT_SCRIPT)

REGRESS = $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))
REGRESS_OPTS = --load-extension=relearn
ISOLATION = $(sort $(patsubst test/isolation/specs/%.spec,%,$(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=test/isolation --load-extension=relearn
EXTRA_CLEAN = $(BUILT_SCRIPT) test/isolation/output_iso $(OBJS:.o=.d)

# Bits of a model must not depend on the compiler's liking for fused multiply-add.
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -O3 -ffp-contract=off -fno-math-errno -MMD -MP
SHLIB_LINK = -Wl,-Bsymbolic

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# The server's own headers do not pass -Wextra: quote-include ours, system-include theirs.
override CPPFLAGS := -iquote src $(patsubst -I%,-isystem %,$(CPPFLAGS))

$(BUILT_SCRIPT): $(SQL_PARTS)
	cat $^ > $@

-include $(OBJS:.o=.d)

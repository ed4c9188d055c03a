-- The table that the bench works on: pure SQL, the same values on every machine and for any plan (they depend only on id and a column's salt through
-- hashint8extended, never on random()).
--
--   psql -v rows=1000000 -f test/bench/gen.sql
--
-- bench_wide (id bigint, y boolean, f01 .. f28 float8): like measurements of particle collisions.  Skewed "momenta", gaussians, uniform angles, a
--   3-valued tag, integer counts, values rounded to cents, derived "masses" that carry the signal.  2 % NULL in f03, f16 and f26; about 60 % of y
--   is true.  Row position is random with respect to y, so id % 5 = 0 is a fair holdout of 20 %.
\set ON_ERROR_STOP on
set client_min_messages = warning;
\if :{?rows} \else \set rows 1000000 \endif

-- uniform (0,1) and standard normal from (row, salt)
create or replace function bench_u(i bigint, k int) returns float8 language sql immutable parallel safe
as $$ select ((hashint8extended(i, k::bigint) & 4503599627370495)::float8 + 0.5) / 4503599627370496.0 $$;
create or replace function bench_n(i bigint, k int) returns float8 language sql immutable parallel safe
as $$ select sqrt(-2 * ln(bench_u(i, k))) * cos(6.283185307179586 * bench_u(i, k + 1000)) $$;

drop table if exists bench_wide;
create unlogged table bench_wide as
with z as materialized (
  select i,
    bench_n(i,1) z1, bench_n(i,2) z2, bench_n(i,3) z3, bench_n(i,4) z4, bench_n(i,5) z5, bench_n(i,6) z6,
    bench_n(i,7) z7, bench_n(i,8) z8, bench_n(i,9) z9, bench_n(i,10) z10, bench_n(i,11) z11, bench_n(i,12) z12,
    bench_n(i,13) z13, bench_n(i,14) z14,
    (bench_u(i,21) - 0.5) * 6.283185307179586 p1, (bench_u(i,22) - 0.5) * 6.283185307179586 p2,
    (bench_u(i,23) - 0.5) * 6.283185307179586 p3,
    bench_u(i,31) u1, bench_u(i,32) u2, bench_u(i,33) u3, bench_u(i,34) u4, bench_u(i,35) u5, bench_u(i,36) u6,
    bench_u(i,41) k1, bench_u(i,42) k2, bench_u(i,43) k3, bench_u(i,44) uy
  from generate_series(1, :rows::bigint) i),
b as materialized (
  select *,
    exp(0.45*z1) pt1, exp(0.50*z3 + 0.20*z1) pt2, exp(0.40*z5 - 0.15*z3) pt3,
    (floor(u1*3))::float8 * 1.0865 tag, floor(-3 * ln(u2)) cnt
  from z),
m as materialized (
  select *,
    sqrt(2*pt1*pt2*greatest(cosh(0.6*(z2 - z4)) - cos(p1 - p2), 0)) m12,
    sqrt(2*pt1*pt3*greatest(cosh(0.6*(z2 - z6)) - cos(p1 - p3), 0)) m13,
    sqrt(2*pt2*pt3*greatest(cosh(0.6*(z4 - z6)) - cos(p2 - p3), 0)) m23
  from b)
select i as id,
  uy < 1 / (1 + exp(-1.8 * (
      0.25
    + 1.5 * (exp(greatest(-((m12 - 1.6)^2) / 0.5, -700)) - 0.35)
    - 0.9 * tanh(m13 - 2.2) * sign(z7)
    + 0.5 * (case when tag > 1 then 1 else -0.5 end) * (pt1 - 1.1)
    + 0.45 * ln(pt2) - 0.35 * ln(pt3)
    + 0.35 * sin(p1 - p3) * z8
    + 0.12 * (cnt - 2.5) + 0.4 * (case when cnt = 0 then 1 else 0 end)
    - 0.25 * abs(z9) + 0.2 * z10))) as y,
  pt1 as f01, z2 as f02, case when k1 >= 0.02 then p1 end as f03, pt2 as f04, z4 as f05, p2 as f06,
  pt3 as f07, z6 as f08, p3 as f09, tag as f10, cnt as f11,
  floor(u3 * 256) as f12, floor(abs(z11) * 10) as f13, floor(u4 * 5) as f14,
  round(exp(3 + 1.2 * z12)::numeric, 2)::float8 as f15,
  case when k2 >= 0.02 then -ln(u5) end as f16,
  round((40 + 12 * z10)::numeric, 1)::float8 as f17,
  z7 as f18, z8 as f19, round((z9 * 3)::numeric, 3)::float8 as f20, z13 as f21, z14 as f22,
  u6 * u6 as f23,
  m12 as f24, m13 as f25, case when k3 >= 0.02 then m23 end as f26,
  m12 + m13 + 0.3 * z13 as f27,
  0.8 * pt1 + 0.5 * m23 - 0.3 * z4 + 0.1 * cnt + 0.4 * z14 * u6 as f28
from m;
alter table bench_wide add primary key (id);
vacuum (freeze, analyze) bench_wide;

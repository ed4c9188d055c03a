-- The mixed table of the bench: numbers of four types, categories, a timestamp.  Pure SQL, the same values everywhere; gen.sql comes first (its
-- bench_u and bench_n are used here).
--
--   psql -v rows=500000 -f test/bench/gen_mixed.sql
--
-- bench_mixed (id, y boolean, n1 .. n6, c1 .. c4 text, ts): categories of 3, 12, 60 and 2,000 levels; NULLs in n6 (5 %) and c3 (1 %); about 34 % of y is true.
\set ON_ERROR_STOP on
set client_min_messages = warning;
\if :{?rows} \else \set rows 500000 \endif

drop table if exists bench_mixed;
create unlogged table bench_mixed as
with z as materialized (
  select i,
    bench_n(i,201) z1, bench_n(i,202) z2, bench_n(i,203) z3,
    bench_u(i,211) u1, bench_u(i,212) u2, bench_u(i,213) u3, bench_u(i,214) u4, bench_u(i,215) u5,
    bench_u(i,221) a1, bench_u(i,222) a2, bench_u(i,223) a3, bench_u(i,224) a4, bench_u(i,225) uy
  from generate_series(1, :rows::bigint) i),
c as materialized (
  select *,
    (case when a1 < 0.6 then 0 when a1 < 0.9 then 1 else 2 end) g1,
    floor(12 * a2 * sqrt(a2))::int g2, floor(60 * a3 * a3)::int g3,
    least(floor(exp(a4 * ln(2001)))::int - 1, 1999) g4
  from z)
select i as id,
  uy < 1 / (1 + exp(-(-1.1 + 0.7 * z1 - 0.02 * (18 + 60 * u1 - 45) + 0.8 * (case g1 when 0 then 0.4 when 1 then -0.1 else -1.2 end)
      + 0.6 * sin(g2 * 1.3) + 1.2 * (bench_u(g3::bigint, 301) - 0.5) + 2.0 * (bench_u(g4::bigint, 302) - 0.5)
      + 0.5 * z2 * (case when g1 = 1 then 1 else -0.3 end) + 0.3 * (case when u3 < 0.25 then 1 else 0 end)))) as y,
  exp(2 + 0.9 * z1) as n1, (18 + floor(60 * u1))::int as n2, z2 as n3, floor(-8 * ln(u2))::int as n4,
  round((5 + 200 * u4 * u4)::numeric, 2)::numeric(10,2) as n5,
  case when u5 >= 0.05 then z3 * 4 + 0.5 * z1 end as n6,
  (array['basic','plus','pro'])[g1 + 1] as c1,
  'segment_' || to_char(g2, 'FM00') as c2,
  case when a2 >= 0.01 then 'city_' || to_char(g3, 'FM000') end as c3,
  'sku-' || to_char(10000 + g4 * 7, 'FM00000') as c4,
  timestamp '2023-01-01' + make_interval(secs => floor(u3 * 63072000)) as ts
from c;
alter table bench_mixed add primary key (id);
vacuum (freeze, analyze) bench_mixed;

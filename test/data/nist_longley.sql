-- NIST StRD "Longley" (J. W. Longley, JASA 62, 1967, 819-841): employment of the United States, 1947 to 1962, six regressors that nearly repeat
-- each other, 16 observations, level of difficulty: higher.
-- Statistical Reference Datasets, https://www.itl.nist.gov/div898/strd/lls/data/Longley.shtml; a work of the US government, public domain.
--
-- nist_longley_certified: NIST's estimates and standard errors, recomputed in exact rational arithmetic: equal to the 15 digits given, for the
-- data as doubles too.  Certified residual standard deviation 304.854073561965, R2 0.995479004577296.

CREATE TABLE nist_longley (employed float8, gnp_deflator float8, gnp float8, unemployed float8, armed_forces float8, population float8, year float8);
INSERT INTO nist_longley VALUES
    (60323, 83.0, 234289, 2356, 1590, 107608, 1947),
    (61122, 88.5, 259426, 2325, 1456, 108632, 1948),
    (60171, 88.2, 258054, 3682, 1616, 109773, 1949),
    (61187, 89.5, 284599, 3351, 1650, 110929, 1950),
    (63221, 96.2, 328975, 2099, 3099, 112075, 1951),
    (63639, 98.1, 346999, 1932, 3594, 113270, 1952),
    (64989, 99.0, 365385, 1870, 3547, 115094, 1953),
    (63761, 100.0, 363112, 3578, 3350, 116219, 1954),
    (66019, 101.2, 397469, 2904, 3048, 117388, 1955),
    (67857, 104.6, 419180, 2822, 2857, 118734, 1956),
    (68169, 108.4, 442769, 2936, 2798, 120445, 1957),
    (66513, 110.8, 444546, 4681, 2637, 121950, 1958),
    (68655, 112.6, 482704, 3813, 2552, 123366, 1959),
    (69564, 114.2, 502601, 3931, 2514, 125368, 1960),
    (69331, 115.7, 518173, 4806, 2572, 127852, 1961),
    (70551, 116.9, 554894, 4007, 2827, 130081, 1962);

CREATE TABLE nist_longley_certified (term text PRIMARY KEY, estimate float8, standard_error float8);
INSERT INTO nist_longley_certified VALUES
    ('intercept', -3482258.63459582, 890420.383607373),
    ('gnp_deflator', 15.0618722713733, 84.9149257747669),
    ('gnp', -0.358191792925910e-01, 0.334910077722432e-01),
    ('unemployed', -2.02022980381683, 0.488399681651699),
    ('armed_forces', -1.03322686717359, 0.214274163161675),
    ('population', -0.511041056535807e-01, 0.226073200069370),
    ('year', 1829.15146461355, 455.478499142212);

-- The data sets as tables of the current schema; run by psql in the top folder of the tree.
SET client_min_messages = warning;
\ir telco_churn.sql
\ir titanic.sql
\ir penguins.sql
\ir adult.sql
\ir california_housing.sql
\ir letter_recognition.sql
\ir nyc311_animals.sql
\ir earthquakes.sql
\ir bike_sharing.sql
\ir hflights.sql
RESET client_min_messages;

DROP TABLE IF EXISTS telco_churn;
CREATE TABLE telco_churn
(
	"customerID" text,
	gender text,
	"SeniorCitizen" integer,
	"Partner" text,
	"Dependents" text,
	tenure integer,
	"PhoneService" text,
	"MultipleLines" text,
	"InternetService" text,
	"OnlineSecurity" text,
	"OnlineBackup" text,
	"DeviceProtection" text,
	"TechSupport" text,
	"StreamingTV" text,
	"StreamingMovies" text,
	"Contract" text,
	"PaperlessBilling" text,
	"PaymentMethod" text,
	"MonthlyCharges" double precision,
	"TotalCharges" text,
	"Churn" text
);
\copy telco_churn FROM 'test/data/telco_churn.csv' WITH (FORMAT csv, HEADER)
ANALYZE telco_churn;

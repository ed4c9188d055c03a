DROP TABLE IF EXISTS letter_recognition;
CREATE TABLE letter_recognition
(
	lettr text,
	x_box integer,
	y_box integer,
	width integer,
	high integer,
	onpix integer,
	x_bar integer,
	y_bar integer,
	x2bar integer,
	y2bar integer,
	xybar integer,
	x2ybr integer,
	xy2br integer,
	x_ege integer,
	xegvy integer,
	y_ege integer,
	yegvx integer
);
\copy letter_recognition FROM 'test/data/letter_recognition.csv' WITH (FORMAT csv, HEADER)
ANALYZE letter_recognition;

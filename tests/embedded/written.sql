-- a duplicate, and what is left of it
CREATE TABLE users (id INTEGER NOT NULL AUTO_INCREMENT, email VARCHAR(190) NOT NULL, name VARCHAR(100) NOT NULL, created_at DATETIME(6) NOT NULL, PRIMARY KEY (id), UNIQUE (email))CHARSET=utf8mb4
INSERT INTO users (email, name, created_at) VALUES ('ada@example.org', 'Ada', '2026-11-30 12:00:00.123456')
INSERT INTO users (email, name, created_at) VALUES ('ada@example.org', 'Ada', '2026-11-30 12:00:00.123456')
INSERT INTO users (email, name, created_at) VALUES ('ADA@example.org', 'Ada', '2026-11-30 12:00:00.123456')
SELECT users.id, users.email, users.name, users.created_at FROM users WHERE users.email = 'ada@example.org'
SELECT LAST_INSERT_ID()
BEGIN
INSERT INTO users (email, name, created_at) VALUES ('bob@example.org', 'Bob', '2026-11-30 12:00:00')
SAVEPOINT sa_savepoint_1
INSERT INTO users (email, name, created_at) VALUES ('ada@example.org', 'Ada', '2026-11-30 12:00:00')
ROLLBACK TO SAVEPOINT sa_savepoint_1
INSERT INTO users (email, name, created_at) VALUES ('eve@example.org', 'Eve 😀', '2026-11-30 12:00:00')
COMMIT
SELECT * FROM users ORDER BY id
UPDATE users SET name='Countess' WHERE users.id = 1
UPDATE users SET name='Countess' WHERE users.id = 1
UPDATE users SET email='bob@example.org' WHERE users.id = 1
DELETE FROM users WHERE users.id = 4
SELECT count(*) AS count_1 FROM users
SELECT users.id FROM users WHERE users.id > 1 ORDER BY users.id LIMIT 2
SELECT users.id FROM users ORDER BY users.id DESC LIMIT 1, 1
SELECT users.id AS users_id, users.email AS users_email FROM users WHERE users.id = 1 FOR UPDATE
SELECT EXISTS (SELECT * FROM users WHERE users.email = 'nobody') AS anon_1
SELECT 1
SELECT VERSION() IS NULL
DESCRIBE users
DESCRIBE `users`
DESCRIBE nothing
SHOW CREATE TABLE `users`
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'users'
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'nosuch'
-- a rollback leaves a gap in the numbers
CREATE TABLE t (id INTEGER AUTO_INCREMENT PRIMARY KEY, v INTEGER)
INSERT INTO t (v) VALUES (1)
BEGIN
INSERT INTO t (v) VALUES (2), (3)
ROLLBACK
INSERT INTO t (v) VALUES (4)
SELECT * FROM t ORDER BY id
INSERT INTO t VALUES (NULL, 5)
INSERT INTO t VALUES (100, 6)
INSERT INTO t (v) VALUES (7)
SELECT MAX(id) FROM t
DELETE FROM t
INSERT INTO t (v) VALUES (8)
TRUNCATE TABLE t
INSERT INTO t (v) VALUES (9)
INSERT INTO t VALUES (20, 1), (30, 2), (20, 3)
INSERT INTO t (v) VALUES (10)
INSERT INTO t VALUES (50, 1), (20, 2), (60, 3)
INSERT INTO t (v) VALUES (11)
SELECT * FROM t ORDER BY id
-- a transaction reads what it has read before
CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER NOT NULL)
INSERT INTO t VALUES (1, 10), (2, 20)
1: BEGIN
1: SELECT * FROM t ORDER BY id
2: UPDATE t SET v = 11 WHERE id = 1
2: INSERT INTO t VALUES (3, 30)
1: SELECT * FROM t ORDER BY id
1: SELECT v FROM t WHERE id = 3
1: UPDATE t SET v = v + 1 WHERE id = 2
1: SELECT * FROM t ORDER BY id
1: COMMIT
1: SELECT * FROM t ORDER BY id
-- a lost update
CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER NOT NULL)
INSERT INTO t VALUES (1, 10)
1: BEGIN
2: BEGIN
1: SELECT v FROM t WHERE id = 1
2: SELECT v FROM t WHERE id = 1
1: UPDATE t SET v = 11 WHERE id = 1
1: COMMIT
2: UPDATE t SET v = 11 WHERE id = 1
2: COMMIT
SELECT v FROM t
-- what is not committed is not seen, and who locks makes others wait
CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER NOT NULL)
INSERT INTO t VALUES (1, 10)
1: BEGIN
1: UPDATE t SET v = 11 WHERE id = 1
2: SELECT v FROM t
3: SELECT v FROM t
2: UPDATE t SET v = 12 WHERE id = 1
2: SELECT v FROM t WHERE id = 1 FOR UPDATE
1: ROLLBACK
2: UPDATE t SET v = 12 WHERE id = 1
3: SELECT v FROM t
-- three connections, each with its own snapshot
CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER NOT NULL)
INSERT INTO t VALUES (1, 1)
1: BEGIN
1: SELECT v FROM t
2: UPDATE t SET v = 2
2: BEGIN
2: SELECT v FROM t
3: UPDATE t SET v = 3
3: START TRANSACTION WITH CONSISTENT SNAPSHOT
1: SELECT v FROM t
2: SELECT v FROM t
3: SELECT v FROM t
1: COMMIT
1: SELECT v FROM t
2: SELECT v FROM t
2: ROLLBACK
2: SELECT v FROM t
3: COMMIT
-- read committed
CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER NOT NULL)
INSERT INTO t VALUES (1, 1)
1: SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
1: SELECT @@transaction_isolation
1: BEGIN
1: SELECT v FROM t
2: UPDATE t SET v = 2
1: SELECT v FROM t
1: UPDATE t SET v = v + 1
2: SELECT v FROM t
1: SELECT v FROM t
1: COMMIT
2: SELECT v FROM t
-- autocommit off: a read begins a transaction
CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER NOT NULL)
INSERT INTO t VALUES (1, 1)
1: SET autocommit = 0
1: SELECT v FROM t
2: UPDATE t SET v = 2
1: SELECT v FROM t
1: COMMIT
1: SELECT v FROM t
1: INSERT INTO t VALUES (2, 2)
2: SELECT COUNT(*) FROM t
1: SET autocommit = 1
2: SELECT COUNT(*) FROM t
-- savepoints
CREATE TABLE t (id INTEGER PRIMARY KEY)
BEGIN
INSERT INTO t VALUES (1)
SAVEPOINT a
INSERT INTO t VALUES (2)
SAVEPOINT b
INSERT INTO t VALUES (3)
ROLLBACK TO SAVEPOINT a
ROLLBACK TO SAVEPOINT b
SELECT COUNT(*) FROM t
RELEASE SAVEPOINT a
RELEASE SAVEPOINT a
COMMIT
SELECT * FROM t
-- a definition commits
CREATE TABLE t (id INTEGER PRIMARY KEY)
BEGIN
INSERT INTO t VALUES (1)
CREATE TABLE u (id INTEGER PRIMARY KEY)
ROLLBACK
SELECT * FROM t
-- keys that refer to rows
CREATE TABLE rooms (id INTEGER NOT NULL AUTO_INCREMENT, name VARCHAR(100) NOT NULL, PRIMARY KEY (id), UNIQUE (name))
CREATE TABLE messages (id INTEGER NOT NULL AUTO_INCREMENT, room_id INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (id), FOREIGN KEY(room_id) REFERENCES rooms (id))
CREATE INDEX ix_messages_room_id ON messages (room_id)
CREATE TABLE likes (message_id INTEGER, CONSTRAINT fk_likes FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE)
SHOW CREATE TABLE messages
SHOW CREATE TABLE likes
INSERT INTO messages (room_id, body) VALUES (1, 'nowhere')
INSERT INTO rooms (name) VALUES ('lobby')
INSERT INTO messages (room_id, body) VALUES (1, 'hello'), (1, 'again')
INSERT INTO likes VALUES (1), (1), (2), (NULL)
DELETE FROM rooms WHERE id = 1
UPDATE messages SET room_id = 7 WHERE id = 1
DELETE FROM messages WHERE id = 1
SELECT * FROM likes
DROP TABLE rooms
DROP TABLE likes
DROP INDEX ix_messages_room_id ON messages
-- a row with two parents
CREATE TABLE a (id INTEGER PRIMARY KEY)
CREATE TABLE b (id INTEGER PRIMARY KEY)
CREATE TABLE c (id INTEGER PRIMARY KEY, b_id INTEGER, a_id INTEGER, FOREIGN KEY(b_id) REFERENCES b (id), FOREIGN KEY(a_id) REFERENCES a (id))
CREATE TABLE d (id INTEGER PRIMARY KEY, b_id INTEGER, a_id INTEGER, CONSTRAINT zz FOREIGN KEY(b_id) REFERENCES b (id), CONSTRAINT aa FOREIGN KEY(a_id) REFERENCES a (id))
INSERT INTO c VALUES (1, 1, 1)
INSERT INTO d VALUES (1, 1, 1)
INSERT INTO b VALUES (1)
INSERT INTO c VALUES (1, 1, 1)
INSERT INTO d VALUES (1, 1, 1)
INSERT INTO d (id, a_id, b_id) VALUES (1, 2, 2)
INSERT INTO d (id, a_id, b_id) VALUES (1, NULL, 1)
DELETE FROM b
-- numbers are exact
CREATE TABLE n (id INTEGER PRIMARY KEY, d DECIMAL(10, 2), f DOUBLE, i INTEGER, b BIGINT UNSIGNED, s SMALLINT)
INSERT INTO n VALUES (1, 0.10, 0.1, 1, 1, 1), (2, 0.20, 0.2, 2, 2, -32768), (3, 99999999.99, 1e300, -2147483648, 9223372036854775807, 32767)
SELECT * FROM n ORDER BY id
SELECT SUM(d), AVG(d), SUM(i), AVG(i) FROM n
SELECT d + d, d * 3, d / 3, i / 3, i * i FROM n WHERE id = 2
SELECT id FROM n WHERE d = 0.1
SELECT id FROM n WHERE d > 0.15 ORDER BY d DESC
SELECT id FROM n ORDER BY d
INSERT INTO n (id, d) VALUES (4, 100000000)
INSERT INTO n (id, d) VALUES (4, 1.005), (5, -1.005), (6, 1.004)
SELECT id, d FROM n WHERE id > 3 ORDER BY id
INSERT INTO n (id, s) VALUES (7, 32768)
INSERT INTO n (id, b) VALUES (7, -1)
INSERT INTO n (id, i) VALUES (7, '7'), (8, 7.5), (9, TRUE)
SELECT id, i FROM n WHERE id > 6 ORDER BY id
SELECT 5 / 2, 4 / 2, 1 / 0, 7 % 3, -7 % 3, 7 DIV 2, 1 + 1.5, 0.1 + 0.2, 1e1 + 1
SELECT 9223372036854775807 + 1
SELECT MIN(d), MAX(d), MIN(f), MAX(f) FROM n
-- moments
CREATE TABLE m (id INTEGER PRIMARY KEY, at DATETIME, precise DATETIME(6), day DATE, t TIME)
INSERT INTO m VALUES (1, '2026-11-30 12:34:56', '2026-11-30 12:34:56.789012', '2026-11-30', '12:34:56')
INSERT INTO m VALUES (2, '2026-11-30 12:34:56.7', '2026-11-30', '2026-11-30', '00:00:00')
INSERT INTO m VALUES (3, '2026-02-30 00:00:00', NULL, NULL, NULL)
INSERT INTO m VALUES (3, 'yesterday', NULL, NULL, NULL)
INSERT INTO m VALUES (3, NULL, NULL, '2026-13-01', NULL)
SELECT * FROM m ORDER BY id
SELECT id FROM m WHERE at = '2026-11-30 12:34:57'
SELECT id FROM m WHERE precise > '2026-11-30'
SELECT id FROM m WHERE day = '2026-11-30' ORDER BY at DESC, id
SELECT MAX(at), MIN(precise) FROM m
SELECT id FROM m WHERE day BETWEEN '2026-11-01' AND '2026-11-30' ORDER BY id
-- texts
CREATE TABLE w (id INTEGER PRIMARY KEY, t VARCHAR(20), c CHAR(5), b VARCHAR(20) COLLATE utf8mb4_bin, long_text TEXT)
INSERT INTO w VALUES (1, 'straße', 'ab  ', 'A', 'x'), (2, 'STRASSE', 'ab', 'a', NULL), (3, 'Ärger', NULL, 'Ä', ''), (4, 'arger', '', 'ä', 'y')
INSERT INTO w VALUES (5, '', 'toolong', NULL, NULL)
INSERT INTO w VALUES (5, 'this text is too long for it', NULL, NULL, NULL)
SELECT id FROM w WHERE t = 'strasse' ORDER BY id
SELECT id FROM w WHERE t LIKE 'a%' ORDER BY id
SELECT id FROM w WHERE b = 'a'
SELECT id FROM w ORDER BY t, id
SELECT id FROM w ORDER BY b, id
SELECT id, c, LENGTH(c), LENGTH(t), CHAR_LENGTH(t) FROM w ORDER BY id
SELECT COUNT(DISTINCT t), COUNT(DISTINCT b) FROM w
SELECT 'a' = 'A', 'a' = 'a ', 'a' < 'B', '10' < '9', 'é' = 'e', '😀' = '👍', 'ß' = 'ss'
SELECT UPPER('straße'), LOWER('ÄÖ'), CONCAT('a', 1, NULL), CONCAT('a', 1, 2.5)
-- documents and bytes
CREATE TABLE j (id INTEGER PRIMARY KEY, doc JSON, raw BLOB)
INSERT INTO j VALUES (1, '{"b": 1, "a": [1, 2, {"c": null}]}', 0x00FF41)
INSERT INTO j VALUES (2, 'not json', NULL)
SELECT * FROM j
SELECT doc->'$.b' AS b, doc->>'$.a' AS a FROM j
SELECT LENGTH(raw) FROM j
-- a row that is there already is changed
CREATE TABLE counters (name VARCHAR(20) PRIMARY KEY, n INTEGER NOT NULL)
INSERT INTO counters VALUES ('a', 1) ON DUPLICATE KEY UPDATE n = n + 1
INSERT INTO counters VALUES ('a', 1) ON DUPLICATE KEY UPDATE n = n + 1
INSERT INTO counters VALUES ('A', 5) ON DUPLICATE KEY UPDATE n = VALUES(n)
INSERT INTO counters VALUES ('a', 5) AS new ON DUPLICATE KEY UPDATE n = new.n
INSERT INTO counters VALUES ('a', 1), ('b', 2) ON DUPLICATE KEY UPDATE n = n + 10
SELECT * FROM counters ORDER BY name
-- groups
CREATE TABLE sales (id INTEGER PRIMARY KEY, city VARCHAR(20), amount DECIMAL(8, 2), sold DATE)
INSERT INTO sales VALUES (1, 'Paris', 10.50, '2026-01-01'), (2, 'Rome', 20.00, '2026-01-02'), (3, 'Paris', 5.25, '2026-01-02'), (4, NULL, 1.00, NULL)
SELECT city, COUNT(*) AS n, SUM(amount) AS total FROM sales GROUP BY city ORDER BY total DESC
SELECT city, COUNT(*) FROM sales GROUP BY city HAVING COUNT(*) > 1
SELECT sold, AVG(amount) FROM sales GROUP BY sold ORDER BY sold
SELECT COUNT(city), COUNT(*), COUNT(DISTINCT city), MIN(city), MAX(sold) FROM sales
SELECT city, sold FROM sales GROUP BY city
SELECT city, id FROM sales GROUP BY id ORDER BY id
SELECT COUNT(*), city FROM sales
SELECT UPPER(city) AS big, COUNT(*) FROM sales GROUP BY big ORDER BY big
SELECT DISTINCT city FROM sales ORDER BY city
SELECT SUM(amount) FROM sales WHERE id > 100
SELECT a.id, b.id FROM sales a JOIN sales b ON a.city = b.city AND a.id < b.id
SELECT a.city, COUNT(b.id) AS n FROM sales a LEFT JOIN sales b ON b.amount < a.amount GROUP BY a.id, a.city ORDER BY n, a.city
-- a script's own errors
CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)
SELECT * FROM t WHERE
SELECT a FROM t GROUP BY
INSERT INTO t VALUES (1)
INSERT INTO t (id, a, b) VALUES (1, 2, 3)
INSERT INTO t (id) VALUES (1, 2)
SELECT t.a FROM t x
SELECT a, id FROM t, t
SELECT a FROM t a, t b
SELECT * FROM T
SELECT A FROM t
CREATE TABLE t (id INTEGER)
CREATE INDEX ix ON t (nothing)
CREATE INDEX ix ON t (a)
CREATE INDEX ix ON t (a)
DROP INDEX nothing ON t
CREATE TABLE bad (id INTEGER PRIMARY KEY, PRIMARY KEY (id))
CREATE TABLE bad (id NOSUCHTYPE)
KILL 99999999
SET no_such_variable = 1
SELECT @@no_such_variable
-- what fills itself in
CREATE TABLE d (id INT PRIMARY KEY, a DATETIME DEFAULT CURRENT_TIMESTAMP, b DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), c DATETIME DEFAULT (now()), e TIMESTAMP NULL DEFAULT NOW(), f VARCHAR(9) DEFAULT 'x')
DESCRIBE d
SHOW CREATE TABLE d
INSERT INTO d (id) VALUES (1)
SELECT id, a IS NULL, b IS NULL, c IS NULL, e IS NULL, f FROM d
SELECT COUNT(*) FROM d WHERE a <= NOW() AND c <= NOW() AND a > '2020-01-01' AND c > '2020-01-01'
CREATE TABLE bad (a DATETIME(6) DEFAULT CURRENT_TIMESTAMP)
CREATE TABLE bad (a DATETIME DEFAULT CURRENT_TIMESTAMP(6))
CREATE TABLE bad (a DATE DEFAULT CURRENT_TIMESTAMP)
CREATE TABLE bad (a VARCHAR(30) DEFAULT NOW())

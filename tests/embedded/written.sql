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
-- options and types
CREATE TABLE a (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, b TINYINT(1) DEFAULT 0, c SMALLINT NOT NULL DEFAULT 7, d FLOAT, e DOUBLE, f DECIMAL(5,2) DEFAULT 1.5, g CHAR(3), h ENUM('x','y') DEFAULT 'x', i BLOB, j MEDIUMTEXT, k DATE, l JSON, m BINARY(4), n VARBINARY(5))
DESCRIBE a
SHOW CREATE TABLE a
INSERT INTO a (b) VALUES (TRUE)
INSERT INTO a (b, c) VALUES (2, NULL)
INSERT INTO a (b) VALUES (200)
INSERT INTO a (c) VALUES (40000)
INSERT INTO a (f) VALUES (1000)
INSERT INTO a (f) VALUES (1.005)
INSERT INTO a (f) VALUES ('abc')
INSERT INTO a (g) VALUES ('abcd')
INSERT INTO a (h) VALUES ('z')
INSERT INTO a (h) VALUES ('Y')
INSERT INTO a (d, e) VALUES (1.1, 1.1)
INSERT INTO a (d) VALUES (3.4e39)
INSERT INTO a (k) VALUES ('2026-02-30')
INSERT INTO a (k) VALUES ('2026-2-3')
INSERT INTO a (k) VALUES (20260203)
INSERT INTO a (l) VALUES ('[1, 2.50, "x"]')
INSERT INTO a (m, n) VALUES ('ab', 'abc')
INSERT INTO a (n) VALUES ('abcdef')
INSERT INTO a (i) VALUES (0x00ff)
INSERT INTO a (id) VALUES (-1)
INSERT INTO a (id) VALUES (4294967296)
SELECT * FROM a ORDER BY id
SELECT d, e FROM a WHERE e = 1.1
SELECT id FROM a WHERE d = 1.1
SELECT id, f FROM a WHERE f = 1.01 ORDER BY id
SELECT id FROM a WHERE h = 'y' ORDER BY id
SELECT h, COUNT(*) FROM a GROUP BY h ORDER BY h
SELECT id FROM a WHERE g IS NULL AND h < 'y' ORDER BY id LIMIT 3
SELECT MAX(h), MIN(h) FROM a
SELECT SUM(f), AVG(f), MIN(f), MAX(e), SUM(d) FROM a
SELECT id FROM a WHERE m = 'ab'
SELECT id FROM a WHERE l IS NOT NULL
SELECT COALESCE(f, 0), COALESCE(d, 0), COALESCE(g, 'none') FROM a ORDER BY id LIMIT 2
SELECT IF(b, 'yes', 'no') FROM a ORDER BY id LIMIT 2
SELECT id FROM a WHERE b ORDER BY id
SELECT id FROM a WHERE NOT b ORDER BY id LIMIT 2
SELECT id FROM a WHERE c = '7' ORDER BY id LIMIT 2
SELECT id FROM a WHERE k > '2026-01-01'
SELECT 1 + 1, 1 + NULL, 5 - 7, 2 * 3.5, 7 / 2, 1 / 3, 2.0 / 3, 10 / 0, 5 % 3, -5 % 3, -7 / 2
SELECT 1 = 1, 1 <> 2, NULL = NULL, NULL IS NULL, 1 IN (1, NULL), 2 IN (1, NULL), 2 NOT IN (1, NULL), NOT NULL
SELECT 'a' LIKE 'A', 'a_b' LIKE 'a\_b', 'axb' LIKE 'a\_b', 'a%b' LIKE 'a\%b', '' LIKE '%', 'abc' LIKE '_b_'
SELECT LENGTH('é'), CHAR_LENGTH('é'), UPPER('aé'), LOWER('AÉ'), CONCAT('a', 'b'), CONCAT('a', NULL)
SELECT TRUE, FALSE, NULL, 'it''s', "double", 'a\nb', 'a\\b', x'41', 0x41, 1e3, 1.50, -3, +3
SELECT 9223372036854775807, 9223372036854775808, 18446744073709551615, 0.1 + 0.2, 1e0 + 1
SELECT CASE WHEN 1 THEN 'a' ELSE 'b' END, CASE WHEN NULL THEN 1 END, CASE 1 WHEN 1 THEN 'x' END
SELECT IF(1, 2, 3), IFNULL(NULL, 4), COALESCE(NULL, NULL, 5), ABS(-4), ABS(-4.5)
SELECT 1 AS a, 2 AS A
SELECT 1 a
SELECT 1 FROM DUAL
SELECT 1 WHERE 0
SELECT (SELECT 1)
SELECT EXISTS (SELECT 1 FROM a WHERE id = 1)
SELECT @@autocommit, @@version_comment IS NULL, @@sql_mode, @@transaction_isolation, @@max_allowed_packet
SELECT @@session.autocommit, @@global.autocommit
SELECT CONNECTION_ID() > 0, DATABASE() IS NULL, USER() IS NULL, LAST_INSERT_ID()
-- names and comments
CREATE TABLE `odd name` (`a b` INT, `select` INT, `ü` INT, `A` VARCHAR(3))
INSERT INTO `odd name` VALUES (1, 2, 3, 'x')
SELECT `a b`, `select`, `ü`, a FROM `odd name`
SELECT `odd name`.`a b` AS `x y` FROM `odd name`
SELECT /* c */ 1 -- end
SELECT 1 # end
SHOW TABLES LIKE 'odd%'
SHOW FULL TABLES
DESCRIBE `odd name`
-- upserts
CREATE TABLE u (id INT AUTO_INCREMENT PRIMARY KEY, k VARCHAR(9) NOT NULL UNIQUE, n INT NOT NULL DEFAULT 0)
INSERT INTO u (k, n) VALUES ('a', 1) ON DUPLICATE KEY UPDATE n = VALUES(n) + n
INSERT INTO u (k, n) VALUES ('a', 5) ON DUPLICATE KEY UPDATE n = VALUES(n) + n
INSERT INTO u (k, n) VALUES ('b', 1), ('a', 2) ON DUPLICATE KEY UPDATE n = n + 1, k = k
INSERT INTO u (k) VALUES ('c')
INSERT INTO u (k, n) VALUES ('a', NULL) ON DUPLICATE KEY UPDATE n = 1
INSERT INTO u (k, n) VALUES ('d', 1) ON DUPLICATE KEY UPDATE nothing = 1
INSERT INTO u (k, n) VALUES ('a', 1) AS new(k2, n2) ON DUPLICATE KEY UPDATE n = n2
SELECT * FROM u ORDER BY id
SELECT LAST_INSERT_ID()
INSERT INTO u (k) VALUES ('c'), ('e')
INSERT INTO u (k) VALUES ('e'), ('c')
INSERT INTO u (k) VALUES ('f')
SELECT * FROM u ORDER BY id
UPDATE u SET n = n + 1 WHERE k IN ('a', 'b')
UPDATE u SET k = 'a' WHERE k = 'b'
UPDATE u SET n = NULL WHERE id = 1
UPDATE u SET n = 'x' WHERE id = 1
UPDATE u SET n = n WHERE id = 1
UPDATE u SET id = 50 WHERE id = 1
INSERT INTO u (k) VALUES ('g')
DELETE FROM u WHERE n > 100
DELETE FROM u WHERE id IN (SELECT id FROM u)
DELETE FROM u LIMIT 1
DELETE FROM u
INSERT INTO u VALUES (0, 'z', 1)
INSERT INTO u VALUES (DEFAULT, 'y', DEFAULT)
INSERT INTO u () VALUES ()
INSERT INTO u SET k = 'w'
SELECT * FROM u ORDER BY id
-- keys
CREATE TABLE p (id INT PRIMARY KEY, name VARCHAR(9), UNIQUE KEY uq_name (name))
CREATE TABLE c (id INT PRIMARY KEY, p_id INT, q INT, CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE CASCADE, KEY ix_q (q))
CREATE TABLE s (id INT PRIMARY KEY, p_id INT, FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE SET NULL)
CREATE TABLE r (id INT PRIMARY KEY, p_id INT, FOREIGN KEY (p_id) REFERENCES p (id))
SHOW CREATE TABLE c
DESCRIBE c
INSERT INTO p VALUES (1, 'a'), (2, 'b'), (3, NULL), (4, NULL)
INSERT INTO c VALUES (1, 1, 1), (2, 2, 2), (3, NULL, 3)
INSERT INTO s VALUES (1, 1), (2, 2)
INSERT INTO r VALUES (1, 2)
INSERT INTO c VALUES (4, 9, 1)
DELETE FROM p WHERE id = 2
DELETE FROM p WHERE id = 1
SELECT * FROM c ORDER BY id
SELECT * FROM s ORDER BY id
UPDATE p SET id = 20 WHERE id = 2
UPDATE p SET name = 'c' WHERE id = 2
UPDATE r SET p_id = 77
UPDATE r SET p_id = NULL
DELETE FROM p WHERE id = 2
DROP TABLE p
DROP TABLE c, s, r, p
DROP TABLE IF EXISTS p
DROP TABLE p
CREATE TABLE p (id INT)
CREATE TABLE IF NOT EXISTS p (x INT)
CREATE TABLE q (id INT, FOREIGN KEY (id) REFERENCES nowhere (id))
CREATE TABLE q (id INT, id INT)
CREATE TABLE q (id INT, PRIMARY KEY (nope))
CREATE TABLE q (t TEXT, KEY (t))
CREATE TABLE q (t TEXT UNIQUE)
CREATE TABLE q (t TEXT DEFAULT 'x')
CREATE TABLE q (a INT AUTO_INCREMENT)
CREATE TABLE q (a INT AUTO_INCREMENT PRIMARY KEY, b INT AUTO_INCREMENT UNIQUE)
CREATE TABLE q (a VARCHAR(70000))
CREATE TABLE q (a VARCHAR)
CREATE TABLE q (a INT NOT NULL DEFAULT NULL)
CREATE TABLE q (a INT DEFAULT 'x')
CREATE TABLE q ()
CREATE TABLE q (a INT, KEY k (a), KEY k (a))
CREATE TABLE q (a DECIMAL(3,5))
CREATE TABLE q (a DECIMAL(70,2))
CREATE TABLE q (a DATETIME(7))
CREATE TABLE q (a ENUM('x','x'))
CREATE TABLE q (a CHAR(300))
-- joins and groups
CREATE TABLE x (id INT PRIMARY KEY, g VARCHAR(9), v INT)
CREATE TABLE y (id INT PRIMARY KEY, x_id INT, w DECIMAL(6,2))
INSERT INTO x VALUES (1, 'a', 10), (2, 'A', 20), (3, 'b', NULL), (4, NULL, 5)
INSERT INTO y VALUES (1, 1, 1.5), (2, 1, 2.5), (3, 3, NULL), (4, 9, 4)
SELECT x.id, y.id FROM x LEFT JOIN y ON y.x_id = x.id ORDER BY x.id, y.id
SELECT x.id, COUNT(y.id), SUM(y.w) FROM x LEFT JOIN y ON y.x_id = x.id GROUP BY x.id ORDER BY x.id
SELECT g, COUNT(*), SUM(v) FROM x WHERE g IS NOT NULL AND g = 'b' GROUP BY g
SELECT LOWER(g) AS l, COUNT(*) FROM x GROUP BY l ORDER BY l
SELECT v > 9 AS big, COUNT(*) FROM x GROUP BY v > 9 ORDER BY big
SELECT COUNT(DISTINCT g), COUNT(g), COUNT(*) FROM x
SELECT g FROM x GROUP BY g HAVING SUM(v) > 5 ORDER BY SUM(v) DESC
SELECT DISTINCT v IS NULL FROM x ORDER BY 1
SELECT id FROM x ORDER BY v IS NULL, v DESC
SELECT id FROM x ORDER BY g DESC, id
SELECT id, v FROM x WHERE v = (SELECT MAX(v) FROM x)
SELECT id FROM x WHERE id IN (SELECT x_id FROM y WHERE w > 1) ORDER BY id
SELECT id FROM x WHERE NOT EXISTS (SELECT 1 FROM y WHERE y.x_id = x.id) ORDER BY id
SELECT t.n FROM (SELECT COUNT(*) AS n FROM x) AS t
SELECT t.id FROM (SELECT id, v FROM x WHERE v > 5) t JOIN y ON y.x_id = t.id ORDER BY y.id
SELECT x.*, y.w FROM x, y WHERE x.id = y.x_id ORDER BY y.id
SELECT * FROM x CROSS JOIN y WHERE x.id = 1 AND y.id = 1
SELECT id FROM x LIMIT 0
SELECT id FROM x ORDER BY id LIMIT 2 OFFSET 1
SELECT id FROM x WHERE v BETWEEN 5 AND 10 ORDER BY id
SELECT id FROM x WHERE (v, id) > (5, 1)
SELECT MAX(id) FROM x WHERE id > 100
SELECT SUM(v), AVG(v), MIN(g), MAX(g) FROM x WHERE id > 100
SELECT id AS n FROM x WHERE n = 1
SELECT id AS n FROM x HAVING n = 1
SELECT id AS n FROM x ORDER BY n DESC LIMIT 1
SELECT id FROM x WHERE g COLLATE utf8mb4_bin = 'a'
SELECT id FROM x WHERE COUNT(*) > 1
SELECT id, g, COUNT(*) OVER () FROM x
SELECT x.id FROM x JOIN y USING (id)
SELECT nope.id FROM x
SELECT id FROM x JOIN y ON y.x_id = x.id
SELECT count(*) FROM x WHERE v
SELECT GROUP_CONCAT(g) FROM x
SELECT ROUND(v / 3, 1) FROM x
SELECT id FROM x WHERE g LIKE CONCAT('a', '%') ORDER BY id
SELECT id FROM x WHERE g = CONCAT('a', '')
SELECT id FROM x WHERE LOWER(g) = LOWER('A') ORDER BY id
SELECT id FROM x WHERE v + 0 = 10
SELECT id FROM x WHERE v = 10.0
SELECT id FROM x WHERE v = '10'
SELECT id FROM x WHERE v <> 10 ORDER BY id
SELECT id FROM x WHERE g <> 'a' ORDER BY id
SELECT id FROM x WHERE v IN (10, '20') ORDER BY id
SELECT id FROM x WHERE g IN ('A', 'b') ORDER BY id
SELECT -v, v * 1.1, v / 4, v - 100 FROM x WHERE id = 1
-- two connections
CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)
1: BEGIN
1: INSERT INTO t (v) VALUES (1)
2: SELECT * FROM t
2: BEGIN
2: SELECT COUNT(*) FROM t
1: COMMIT
2: SELECT COUNT(*) FROM t
2: INSERT INTO t (v) VALUES (2)
2: SELECT COUNT(*) FROM t
2: ROLLBACK
2: SELECT * FROM t
1: INSERT INTO t (v) VALUES (3)
1: SELECT * FROM t ORDER BY id
1: SAVEPOINT x
1: ROLLBACK TO x
1: RELEASE SAVEPOINT x
1: BEGIN
1: SAVEPOINT `a b`
1: UPDATE t SET v = 9
1: ROLLBACK TO SAVEPOINT `a b`
1: COMMIT AND CHAIN
1: COMMIT WORK
1: ROLLBACK WORK
1: START TRANSACTION READ ONLY
1: SET SESSION innodb_lock_wait_timeout = 1
1: SET autocommit = ON
1: SET NAMES utf8mb4
1: SET NAMES 'utf8mb4'
1: SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci
1: SET @x = 1
1: SET SESSION sql_mode = ''
1: SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()
1: SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name
1: SELECT column_name, column_type, is_nullable, column_key, extra FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 't' ORDER BY ordinal_position
1: SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = DATABASE()
-- models as SQLAlchemy writes them
CREATE TABLE author (id INTEGER NOT NULL AUTO_INCREMENT, name VARCHAR(50) NOT NULL, email VARCHAR(100), bio TEXT, rating FLOAT, score DOUBLE DEFAULT '0', active BOOL NOT NULL, born DATE, created DATETIME NOT NULL DEFAULT now(), updated DATETIME(6), price NUMERIC(10, 2) NOT NULL DEFAULT '0.00', kind ENUM('a','b') NOT NULL DEFAULT 'a', data JSON, uid CHAR(32), raw BLOB, PRIMARY KEY (id), UNIQUE (email), CONSTRAINT uq_x UNIQUE (name, born))
CREATE INDEX ix_author_name ON author (name)
CREATE UNIQUE INDEX ix_u ON author (uid)
CREATE INDEX ix_two ON author (born, name)
CREATE TABLE book (id BIGINT NOT NULL AUTO_INCREMENT, author_id INTEGER NOT NULL, title VARCHAR(200) NOT NULL, pages SMALLINT, PRIMARY KEY (id), CONSTRAINT fk_book_author FOREIGN KEY(author_id) REFERENCES author (id) ON DELETE CASCADE)
CREATE TABLE tag (id INTEGER NOT NULL AUTO_INCREMENT, name VARCHAR(20) NOT NULL, PRIMARY KEY (id), UNIQUE (name))
CREATE TABLE book_tag (book_id BIGINT NOT NULL, tag_id INTEGER NOT NULL, PRIMARY KEY (book_id, tag_id), FOREIGN KEY(book_id) REFERENCES book (id), FOREIGN KEY(tag_id) REFERENCES tag (id))
SHOW CREATE TABLE author
SHOW CREATE TABLE book
SHOW CREATE TABLE book_tag
DESCRIBE author
DESCRIBE book_tag
DESCRIBE `author`
INSERT INTO author (name, email, bio, rating, active, born, updated, price, kind, data, uid, raw) VALUES ('Ada', 'ada@x.org', NULL, 4.5, 1, '1815-12-10', '2026-01-01 00:00:00.5', 12.5, 'b', '{"k": [1, null, true]}', 'abc', _binary'\0\1')
INSERT INTO author (name, email, active) VALUES ('Bob', 'ada@x.org', 1)
INSERT INTO author (name, email, active) VALUES ('Bob', NULL, 0), ('Eve', NULL, 1)
INSERT INTO author (name, active) VALUES (NULL, 1)
INSERT INTO author (name) VALUES ('x')
INSERT INTO author (name, active, kind) VALUES ('x', 1, 'q')
INSERT INTO author (name, active, price) VALUES ('x', 1, 123456789.12)
INSERT INTO author (name, active, data) VALUES ('x', 1, '{"a": 1.0, "b": 1e2, "c": "ü"}')
INSERT INTO book (author_id, title, pages) VALUES (1, 'Notes', 66), (1, 'Letters', NULL), (2, 'Ü', 1)
INSERT INTO book (author_id, title) VALUES (77, 'Nobody')
INSERT INTO tag (name) VALUES ('a'), ('b')
INSERT INTO tag (name) VALUES ('c'), ('A')
INSERT INTO tag (name) VALUES ('d')
INSERT INTO book_tag VALUES (1, 1), (1, 2), (2, 1)
INSERT INTO book_tag VALUES (1, 1)
INSERT INTO book_tag VALUES (9, 1)
SELECT id, name, email, rating, score, active, born, updated, price, kind, data, uid, raw FROM author ORDER BY id
SELECT author.id AS author_id, author.name AS author_name FROM author WHERE author.name = 'ada' LIMIT 1
SELECT a.name, b.title FROM author AS a INNER JOIN book AS b ON b.author_id = a.id ORDER BY a.name, b.title
SELECT a.id, a.name, b_1.id, b_1.title FROM author AS a LEFT OUTER JOIN book AS b_1 ON a.id = b_1.author_id ORDER BY a.id, b_1.id
SELECT book.id, t_1.name FROM book JOIN book_tag AS bt_1 ON book.id = bt_1.book_id JOIN tag AS t_1 ON t_1.id = bt_1.tag_id ORDER BY book.id, t_1.name
SELECT book.author_id AS book_author_id, book.id AS book_id FROM book WHERE book.author_id IN (1, 2, 3) ORDER BY book.id
SELECT count(*) AS count_1 FROM (SELECT author.id AS id FROM author WHERE author.active = 1) AS anon_1
SELECT count(author.id) AS n, author.active FROM author GROUP BY author.active ORDER BY author.active
SELECT a.name, (SELECT count(*) AS count_1 FROM book WHERE book.author_id = a.id) AS n FROM author AS a ORDER BY a.id
SELECT a.name FROM author AS a WHERE EXISTS (SELECT 1 FROM book WHERE a.id = book.author_id AND book.title LIKE 'N%') ORDER BY a.id
SELECT a.name FROM author AS a WHERE a.active IS TRUE ORDER BY a.id
SELECT a.name FROM author AS a WHERE a.active IS false ORDER BY a.id
SELECT a.name FROM author AS a WHERE a.active = true ORDER BY a.id
SELECT a.name FROM author AS a WHERE a.name LIKE concat('%', 'd', '%') ORDER BY a.id
SELECT a.name FROM author AS a WHERE lower(a.name) LIKE lower('ADA')
SELECT a.name FROM author AS a WHERE a.name NOT LIKE 'A%' ORDER BY a.id
SELECT a.name FROM author AS a WHERE a.name LIKE 'A\_%' OR a.name LIKE 'a%' ESCAPE '/' ORDER BY a.id
SELECT a.name FROM author AS a WHERE a.email IS NULL AND (a.active = 1 OR a.id > 100) ORDER BY a.name DESC
SELECT a.name FROM author AS a WHERE a.price >= 12.50 AND a.price < 13
SELECT a.name FROM author AS a WHERE a.price = 12.5e0
SELECT a.name FROM author AS a WHERE a.rating > 4.4e0
SELECT a.name FROM author AS a WHERE a.born = '1815-12-10'
SELECT a.name FROM author AS a WHERE a.born < '1900-01-01 00:00:00'
SELECT a.name FROM author AS a WHERE a.updated >= '2026-01-01' ORDER BY a.id
SELECT a.name FROM author AS a WHERE a.updated = '2026-01-01 00:00:00.500000'
SELECT a.name FROM author AS a WHERE a.kind = 'B'
SELECT a.name FROM author AS a WHERE a.kind IN ('a', 'b') ORDER BY a.kind, a.id
SELECT a.name FROM author AS a ORDER BY a.kind DESC, a.id
SELECT DISTINCT a.active FROM author AS a ORDER BY a.active
SELECT sum(a.price) AS s, avg(a.price) AS v, max(a.born) AS m, min(a.name) AS l FROM author AS a
SELECT a.price * 2 AS d, a.price + 1 AS p, a.rating * 2 AS r, a.id / 2 AS h FROM author AS a ORDER BY a.id LIMIT 1
SELECT coalesce(a.email, a.name) AS e FROM author AS a ORDER BY a.id
SELECT CASE WHEN (a.active = 1) THEN 'yes' ELSE 'no' END AS w FROM author AS a ORDER BY a.id
SELECT a.id FROM author AS a WHERE a.raw = _binary'\0\1'
SELECT a.id FROM author AS a WHERE a.uid = 'ABC'
SELECT a.id FROM author AS a WHERE a.id = 1 FOR UPDATE
SELECT a.id FROM author AS a WHERE a.id = 1 LOCK IN SHARE MODE
SELECT a.id FROM author AS a WHERE a.id = 1 FOR SHARE
SELECT a.id, a.id FROM author AS a ORDER BY a.id LIMIT 1
SELECT a.id FROM author a ORDER BY 1 DESC LIMIT 1
SELECT a.* FROM author a WHERE 1 = 0
SELECT 1 FROM author a WHERE a.id = '1abc'
SELECT a.id FROM author a WHERE a.name = 5
SELECT a.id FROM author a WHERE a.id = 1.0
SELECT a.id FROM author a WHERE a.id = 1.5
SELECT a.id FROM author a WHERE a.id > 0.5 AND a.id < 1.5
SELECT a.id FROM author a WHERE a.id IN (1.0, 2.0) ORDER BY a.id
SELECT a.id FROM author a WHERE a.name IN ('ADA', NULL)
SELECT a.id FROM author a WHERE a.name NOT IN ('ADA', NULL)
SELECT a.id FROM author a WHERE a.id BETWEEN 1 AND 1
SELECT a.id FROM author a WHERE NOT a.id = 1 ORDER BY a.id LIMIT 1
SELECT a.id FROM author a WHERE !(a.id = 1) ORDER BY a.id LIMIT 1
SELECT a.id FROM author a WHERE a.id <=> NULL
SELECT a.id FROM author a WHERE a.id = 1 XOR a.id = 2 ORDER BY a.id
SELECT a.id & 1 FROM author a ORDER BY a.id LIMIT 1
SELECT a.id DIV 2 FROM author a ORDER BY a.id LIMIT 1
SELECT a.id MOD 2 FROM author a ORDER BY a.id LIMIT 1
SELECT 'a' 'b', 'x' AS `y z`
SELECT a.id AS `i` FROM author a GROUP BY a.id HAVING a.id > 1 ORDER BY i LIMIT 1
SELECT a.active, group_concat(a.name) FROM author a GROUP BY a.active
SELECT MAX(a.id) + 1 FROM author a
SELECT COUNT(*) > 1 FROM author a
SELECT COUNT(*) FROM author a WHERE a.name > 'b'
SELECT a.name FROM author a ORDER BY a.email IS NULL, a.email, a.id
SELECT a.name FROM author a ORDER BY LOWER(a.name) DESC, a.id
SELECT a.name FROM author a ORDER BY LENGTH(a.name), a.id
SELECT a.name FROM author a ORDER BY a.rating DESC, a.id LIMIT 2
UPDATE author SET name='Ada L', updated='2026-02-02 10:00:00' WHERE author.id = 1
UPDATE author SET active=0 WHERE author.active = 1 AND author.id IN (1, 3)
UPDATE author SET price=(author.price + 1.25) WHERE author.id = 1
UPDATE author SET price=author.price * 2, rating=NULL WHERE author.id = 1
UPDATE author SET email='ada@x.org' WHERE author.id = 2
UPDATE author SET kind='z' WHERE author.id = 1
UPDATE author SET born='not a date' WHERE author.id = 1
UPDATE author SET name=NULL WHERE author.id = 1
UPDATE author SET nothing=1 WHERE author.id = 1
UPDATE author SET bio=CONCAT(name, '!') WHERE id = 2
UPDATE author SET data='{"b": 2, "aa": 1}' WHERE id = 2
UPDATE author SET data='nope' WHERE id = 2
UPDATE author AS a SET a.bio = 'x' WHERE a.id = 1
UPDATE author, book SET author.bio = 'x' WHERE author.id = book.author_id
UPDATE book SET author_id = 99 WHERE id = 1
UPDATE author SET id = 1 WHERE id = 2
UPDATE tag SET id = id + 10
UPDATE author SET created = created WHERE id = 1
SELECT id, name, email, bio, rating, active, updated, price, kind, data FROM author ORDER BY id
DELETE FROM book_tag WHERE book_tag.book_id = 1 AND book_tag.tag_id = 1
DELETE FROM book WHERE book.id = 2
DELETE FROM author WHERE author.id = 1
DELETE FROM book_tag
DELETE FROM author WHERE author.id = 1
SELECT COUNT(*) FROM book
DELETE FROM author WHERE id = 12345
DROP INDEX ix_two ON author
DROP TABLE author
DROP TABLE book_tag, tag
DROP TABLE book
DROP TABLE author
-- a session's habits
CREATE TABLE n (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(10), UNIQUE KEY v (v))
SET autocommit=0
INSERT INTO n (v) VALUES ('a')
SELECT LAST_INSERT_ID(), @@autocommit
ROLLBACK
INSERT INTO n (v) VALUES ('b')
COMMIT
SELECT * FROM n
SAVEPOINT S1
INSERT INTO n (v) VALUES ('c')
ROLLBACK TO SAVEPOINT s1
RELEASE SAVEPOINT S1
INSERT INTO n (v) VALUES ('b')
INSERT INTO n (v) VALUES ('d')
COMMIT
SELECT * FROM n ORDER BY id
SET autocommit=1
BEGIN
INSERT INTO n (v) VALUES ('e')
CREATE TABLE m (id INT)
ROLLBACK
SELECT COUNT(*) FROM n
INSERT INTO n (v) VALUES ('toolongvalue')
INSERT INTO n (v) VALUES ('ok'), ('toolongvalue')
INSERT INTO n (v) VALUES ('ok'), ('a')
INSERT INTO n (v) VALUES ('ok2'), ('OK')
INSERT INTO n (id, v) VALUES (NULL, 'q')
INSERT INTO n (id, v) VALUES (1000, 'r')
INSERT INTO n (v) VALUES ('s')
INSERT INTO n (id, v) VALUES (5, 't')
INSERT INTO n (v) VALUES ('u')
SELECT * FROM n ORDER BY id
SHOW TABLES
SHOW TABLES LIKE 'n'
SHOW CREATE TABLE n
SHOW CREATE TABLE missing
DESCRIBE missing
SELECT * FROM missing
INSERT INTO missing VALUES (1)
UPDATE missing SET a = 1
DELETE FROM missing
DROP TABLE missing
USE nosuch
SELECT DATABASE() = SCHEMA()
SELECT VERSION() LIKE '9%' IS NULL
SELECT CURRENT_USER() IS NULL, NOW() > '2020-01-01', CURRENT_TIMESTAMP > '2020-01-01', UTC_TIMESTAMP() > '2020-01-01'
SELECT SLEEP(0)
SELECT SLEEP(0.01) AS s
KILL QUERY 99999
KILL 99999
SHOW WARNINGS
SHOW STATUS LIKE 'Uptime'
SELECT ROW_COUNT()
SELECT FOUND_ROWS()
TRUNCATE n
CALL p()
BEGIN WORK
COMMIT
XA START 'x'

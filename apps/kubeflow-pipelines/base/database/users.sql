-- Databases, and a user for each that can reach no other; to be run after passwords.sql, as often as one likes.
-- MySQL 8.4 and MariaDB both take it. The metadata store's client knows no newer plugin than mysql_native_password.
CREATE DATABASE IF NOT EXISTS mlpipeline;
CREATE DATABASE IF NOT EXISTS metadb;

-- The plugin's hash of a password, as the server keeps it: statements that make users, and its binary log, hold that.
SET @pipelines_hash = CONCAT('*', UPPER(SHA1(UNHEX(SHA1(@pipelines_password)))));
SET @metadata_hash = CONCAT('*', UPPER(SHA1(UNHEX(SHA1(@metadata_password)))));

SET @create = 'CREATE USER IF NOT EXISTS ''?''@''%'' IDENTIFIED WITH mysql_native_password AS ''#''';
-- Connections are limited so that neither can take all that the database has. Without TLS nobody signs in.
SET @alter = REPLACE(@create, 'CREATE USER IF NOT EXISTS', 'ALTER USER');
SET @alter = CONCAT(@alter, ' REQUIRE SSL WITH MAX_USER_CONNECTIONS 100');

SET @statement = REPLACE(REPLACE(@create, '?', 'mlpipeline'), '#', @pipelines_hash);
PREPARE statement FROM @statement;
EXECUTE statement;
SET @statement = REPLACE(REPLACE(@alter, '?', 'mlpipeline'), '#', @pipelines_hash);
PREPARE statement FROM @statement;
EXECUTE statement;

SET @statement = REPLACE(REPLACE(@create, '?', 'metadb'), '#', @metadata_hash);
PREPARE statement FROM @statement;
EXECUTE statement;
SET @statement = REPLACE(REPLACE(@alter, '?', 'metadb'), '#', @metadata_hash);
PREPARE statement FROM @statement;
EXECUTE statement;
DEALLOCATE PREPARE statement;

-- Both change their tables when they are upgraded. The API server asks to create its database at each start.
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON mlpipeline.* TO 'mlpipeline'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON metadb.* TO 'metadb'@'%';

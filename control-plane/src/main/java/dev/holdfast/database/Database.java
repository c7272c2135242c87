package dev.holdfast.database;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationVersion;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.conf.Settings;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;

/// Connections to PostgreSQL, and the schema brought up to date.
///
/// Reads and unjournalled writes take a connection here; what must be recorded goes through the journal's
/// writer.
public final class Database implements AutoCloseable {
    private static final Settings SETTINGS =
            new Settings().withExecuteLogging(false).withBindOffsetDateTimeType(true);

    private final HikariDataSource pool;
    private final Address address;

    /// Where the database is.
    ///
    /// @param url a JDBC URL
    public record Address(String url, String user, String password) {
        @Override
        public String toString() {
            return url;
        }
    }

    /// What to do on a connection.
    @FunctionalInterface
    public interface Work<T> {
        T apply(DSLContext sql) throws SQLException;
    }

    private Database(HikariDataSource pool, Address address) {
        this.pool = pool;
        this.address = address;
    }

    /// Connects and migrates.
    public static Database open(Address address, int connections) {
        return open(address, connections, _ -> {});
    }

    /// Connects and migrates.
    ///
    /// @param migrates told how many migrations are to be applied, before they are, when there are any
    public static Database open(Address address, int connections, IntConsumer migrates) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(address.url());
        config.setUsername(address.user());
        config.setPassword(address.password());
        config.setMaximumPoolSize(connections);
        config.setMinimumIdle(2);
        config.setConnectionTimeout(5_000);
        config.setValidationTimeout(2_000);
        config.setPoolName("holdfast");
        config.addDataSourceProperty("reWriteBatchedInserts", "true");
        config.addDataSourceProperty("socketTimeout", "60");
        config.addDataSourceProperty("tcpKeepAlive", "true");
        // A node that is cut off in the middle of a transaction must not hold its locks against all others for long.
        config.addDataSourceProperty("options", "-c idle_in_transaction_session_timeout=8000");
        // jOOQ binds times as text; so the server takes them for what the column is.
        config.addDataSourceProperty("stringtype", "unspecified");
        HikariDataSource pool = new HikariDataSource(config);
        try {
            Flyway flyway = Flyway.configure()
                    .dataSource(pool)
                    .locations("classpath:db/migration")
                    .validateMigrationNaming(true)
                    // Each room has a range of numbers, so a new one may come below those applied already.
                    .outOfOrder(true)
                    .load();
            int pending = flyway.info().pending().length;
            if (pending > 0) {
                migrates.accept(pending);
            }
            flyway.migrate();
        } catch (RuntimeException e) {
            pool.close();
            throw e;
        }
        return new Database(pool, address);
    }

    /// Brings an empty database to the schema of that version and no further, for a restore.
    public static void migrateTo(Address address, String version) {
        Flyway.configure()
                .dataSource(address.url(), address.user(), address.password())
                .locations("classpath:db/migration")
                .target(MigrationVersion.fromVersion(version))
                .load()
                .migrate();
    }

    /// The newest schema this program knows; asked of an empty database.
    public static String latestMigration(Address address) {
        var known = Flyway.configure()
                .dataSource(address.url(), address.user(), address.password())
                .locations("classpath:db/migration")
                .load()
                .info()
                .all();
        return known[known.length - 1].getVersion().getVersion();
    }

    /// Compares two schema versions.
    public static int compareMigrations(String left, String right) {
        return MigrationVersion.fromVersion(left).compareTo(MigrationVersion.fromVersion(right));
    }

    public Address address() {
        return address;
    }

    /// Runs the work in one transaction.
    ///
    /// @throws DataAccessException when the database refuses or is away
    public <T> T transact(Work<T> work) {
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            try {
                T result = work.apply(on(connection));
                connection.commit();
                return result;
            } catch (SQLException | RuntimeException | Error e) {
                rollback(connection, e);
                throw e;
            }
        } catch (SQLException e) {
            throw new DataAccessException("database: " + e.getMessage(), e);
        }
    }

    /// Runs a read, or a single statement that commits by itself.
    ///
    /// @throws DataAccessException when the database refuses or is away
    public <T> T read(Work<T> work) {
        try (Connection connection = pool.getConnection()) {
            return work.apply(on(connection));
        } catch (SQLException e) {
            throw new DataAccessException("database: " + e.getMessage(), e);
        }
    }

    /// As [#transact] for work without a result.
    public void run(Consumer<DSLContext> work) {
        transact(sql -> {
            work.accept(sql);
            return true;
        });
    }

    /// A connection of the caller's own, to be closed by the caller; auto-commit as the pool has it (on).
    public Connection connection() throws SQLException {
        return pool.getConnection();
    }

    /// The SQL builder on a connection.
    public static DSLContext on(Connection connection) {
        return DSL.using(connection, SQLDialect.POSTGRES, SETTINGS);
    }

    /// Whether the error says that the database could not be reached or had no room (its disk is full, its memory or
    /// its connections are used up), so that the same call may succeed later.
    public static boolean isAway(Throwable error) {
        for (Throwable t = error; t != null; t = t.getCause()) {
            if (t instanceof SQLTransientConnectionException) {
                return true;
            }
            if (t instanceof SQLException sql
                    && sql.getSQLState() != null
                    && (sql.getSQLState().startsWith("08")
                            || sql.getSQLState().startsWith("53")
                            || sql.getSQLState().startsWith("57P"))) {
                return true;
            }
        }
        return false;
    }

    static void rollback(Connection connection, Throwable cause) {
        try {
            connection.rollback();
        } catch (SQLException second) {
            cause.addSuppressed(second);
        }
    }

    @Override
    public void close() {
        pool.close();
    }
}

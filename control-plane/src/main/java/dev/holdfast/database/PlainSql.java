package dev.holdfast.database;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.ResultQuery;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGStatement;

/// Statements of the paths that run thousands of times a second, sent as they stand, in the caller's
/// transaction.
///
/// The builder reads a statement's text and describes its result's columns anew each time, which costs more
/// than the statement; what is written here is prepared by the driver and known to the database after a few
/// times.
public final class PlainSql {
    private static final int PAGE = 5_000;

    private PlainSql() {}

    /// Makes a value of a row.
    @FunctionalInterface
    public interface Reader<T> {
        T read(Row row) throws SQLException;
    }

    /// Takes one row after another.
    @FunctionalInterface
    public interface Consumer {
        void take(Row row) throws SQLException;
    }

    /// A row of a result; columns count from 1.
    public static final class Row {
        private final ResultSet rows;

        private Row(ResultSet rows) {
            this.rows = rows;
        }

        /// @throws IllegalStateException when it is null
        public String text(int column) throws SQLException {
            String text = rows.getString(column);
            if (text == null) {
                throw new IllegalStateException("column " + column + " is null");
            }
            return text;
        }

        public Optional<String> optionalText(int column) throws SQLException {
            return Optional.ofNullable(rows.getString(column));
        }

        public boolean flag(int column) throws SQLException {
            return rows.getBoolean(column);
        }

        public long number(int column) throws SQLException {
            return rows.getLong(column);
        }

        /// @throws IllegalStateException when it is null
        public Instant time(int column) throws SQLException {
            return optionalTime(column).orElseThrow(() -> new IllegalStateException("column " + column + " is null"));
        }

        public Optional<Instant> optionalTime(int column) throws SQLException {
            return Optional.ofNullable(rows.getObject(column, OffsetDateTime.class))
                    .map(OffsetDateTime::toInstant);
        }

        public Optional<byte[]> optionalOctets(int column) throws SQLException {
            return Optional.ofNullable(rows.getBytes(column));
        }
    }

    /// @param values in the order of the question marks: text, numbers, flags, octets, [Instant]
    /// @return how many rows it changed
    /// @throws org.jooq.exception.DataAccessException when the database refuses or is away
    public static int execute(DSLContext sql, String statement, @Nullable Object... values) {
        return sql.connectionResult(connection -> {
            try (PreparedStatement prepared = prepared(connection, statement, values)) {
                return prepared.executeUpdate();
            }
        });
    }

    /// The first row, if there is one.
    public static <T> Optional<T> first(
            DSLContext sql, String statement, Reader<T> reader, @Nullable Object... values) {
        return sql.connectionResult(connection -> {
            try (PreparedStatement prepared = prepared(connection, statement, values);
                    ResultSet rows = prepared.executeQuery()) {
                return rows.next() ? Optional.of(reader.read(new Row(rows))) : Optional.empty();
            }
        });
    }

    public static <T> List<T> all(DSLContext sql, String statement, Reader<T> reader, @Nullable Object... values) {
        return sql.connectionResult(connection -> {
            try (PreparedStatement prepared = prepared(connection, statement, values);
                    ResultSet rows = prepared.executeQuery()) {
                return all(rows, reader);
            }
        });
    }

    /// Takes the rows as they come, for millions of them: in a transaction, a page in memory at a time.
    ///
    /// @throws org.jooq.exception.DataAccessException when the database refuses or is away
    public static void each(DSLContext sql, String statement, Consumer consumer, @Nullable Object... values) {
        sql.connection(connection -> {
            try (PreparedStatement prepared = prepared(connection, statement, values)) {
                prepared.setFetchSize(PAGE);
                // Times and octets come as they are and not as text.
                prepared.unwrap(PGStatement.class).setPrepareThreshold(-1);
                try (ResultSet rows = prepared.executeQuery()) {
                    Row row = new Row(rows);
                    while (rows.next()) {
                        consumer.take(row);
                    }
                }
            }
        });
    }

    /// The rows of a query that the builder made.
    public static <T> List<T> all(ResultQuery<?> query, Reader<T> reader) {
        try (ResultSet rows = query.fetchResultSet()) {
            return all(rows, reader);
        } catch (SQLException e) {
            throw new DataAccessException("database: " + e.getMessage(), e);
        }
    }

    private static <T> List<T> all(ResultSet rows, Reader<T> reader) throws SQLException {
        List<T> all = new ArrayList<>();
        Row row = new Row(rows);
        while (rows.next()) {
            all.add(reader.read(row));
        }
        return all;
    }

    private static PreparedStatement prepared(Connection connection, String statement, @Nullable Object... values)
            throws SQLException {
        PreparedStatement prepared = connection.prepareStatement(statement);
        for (int i = 0; i < values.length; i++) {
            bind(prepared, i + 1, values[i]);
        }
        return prepared;
    }

    private static void bind(PreparedStatement prepared, int place, @Nullable Object value) throws SQLException {
        switch (value) {
            case null -> prepared.setNull(place, Types.NULL);
            case String text -> prepared.setString(place, text);
            case Instant time -> prepared.setObject(place, time.atOffset(ZoneOffset.UTC));
            case byte[] octets -> prepared.setBytes(place, octets);
            case Object other -> prepared.setObject(place, other);
        }
    }
}

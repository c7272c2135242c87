package dev.holdfast.backup;

import dev.holdfast.backup.Manifest.Table;
import dev.holdfast.core.Digest;
import dev.holdfast.database.Database;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.postgresql.PGConnection;

/// One connection that sees the whole database as it was at one moment, or fills an empty one, by COPY.
final class SnapshotStore implements AutoCloseable {
    private static final String HISTORY = "flyway_schema_history";
    /// Left out: who was signed in when the backup was taken may have signed out, or been shut out, since.
    private static final String SESSIONS = "operator_session";
    private final Connection connection;

    private SnapshotStore(Connection connection) {
        this.connection = connection;
    }

    /// A snapshot for reading: writers go on meanwhile and are not seen.
    static SnapshotStore toRead(Database.Address address) throws SQLException {
        SnapshotStore store = open(address);
        store.execute("begin isolation level repeatable read read only");
        return store;
    }

    /// One transaction that fills the tables; nothing is there until [#commit].
    static SnapshotStore toFill(Database.Address address) throws SQLException {
        SnapshotStore store = open(address);
        store.execute("begin");
        return store;
    }

    private static SnapshotStore open(Database.Address address) throws SQLException {
        return new SnapshotStore(DriverManager.getConnection(address.url(), address.user(), address.password()));
    }

    Manifest manifest(Instant now, String server) throws SQLException {
        List<String> head = row("select number, chain_hash from journal_head");
        Map<String, Long> sequences = new TreeMap<>();
        for (List<String> one : rows("select sequencename, coalesce(last_value, 0) from pg_sequences"
                + " where schemaname = current_schema()")) {
            sequences.put(one.get(0), Long.valueOf(one.get(1)));
        }
        return new Manifest(
                Manifest.FORMAT,
                now,
                row("select version from " + HISTORY + " where success order by installed_rank desc limit 1")
                        .getFirst(),
                Long.parseLong(head.get(0)),
                new Digest(head.get(1)),
                tables(),
                sequences,
                server);
    }

    /// The tables in an order in which each comes after those it refers to.
    private List<Table> tables() throws SQLException {
        Map<String, List<String>> columns = new LinkedHashMap<>();
        for (List<String> one : rows("select c.relname, a.attname from pg_class c join pg_attribute a"
                + " on a.attrelid = c.oid where c.relnamespace = current_schema()::regnamespace"
                + " and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped"
                + " and a.attgenerated = '' order by c.relname, a.attnum")) {
            if (!Set.of(HISTORY, SESSIONS).contains(one.get(0))) {
                columns.computeIfAbsent(one.get(0), name -> new ArrayList<>()).add(one.get(1));
            }
        }
        Map<String, Set<String>> needs = new TreeMap<>();
        for (List<String> one : rows("select conrelid::regclass::text, confrelid::regclass::text from pg_constraint"
                + " where contype = 'f' and connamespace = current_schema()::regnamespace"
                + " and conrelid <> confrelid")) {
            needs.computeIfAbsent(one.get(0), name -> new TreeSet<>()).add(one.get(1));
        }
        List<Table> ordered = new ArrayList<>();
        Set<String> done = new TreeSet<>();
        while (done.size() < columns.size()) {
            int before = done.size();
            columns.forEach((name, its) -> {
                if (!done.contains(name) && done.containsAll(needs.getOrDefault(name, Set.of()))) {
                    ordered.add(new Table(name, its));
                    done.add(name);
                }
            });
            if (done.size() == before) {
                throw new IllegalStateException("tables refer to each other in a circle");
            }
        }
        return ordered;
    }

    void copyOut(Table table, OutputStream to) throws SQLException, IOException {
        connection
                .unwrap(PGConnection.class)
                .getCopyAPI()
                .copyOut("copy (select " + table.columnList() + " from \"" + table.name() + "\") to stdout", to);
    }

    long copyIn(Table table, InputStream from) throws SQLException, IOException {
        return connection
                .unwrap(PGConnection.class)
                .getCopyAPI()
                .copyIn("copy \"" + table.name() + "\" (" + table.columnList() + ") from stdin", from);
    }

    /// Removes what the migrations themselves put into the tables.
    void clear(List<Table> tables) throws SQLException {
        String names =
                String.join(", ", tables.stream().map(t -> '"' + t.name() + '"').toList());
        execute("truncate " + names + " cascade"); // those left out refer to others
    }

    void setSequences(Map<String, Long> sequences) throws SQLException {
        for (Map.Entry<String, Long> one : sequences.entrySet()) {
            if (one.getValue() > 0) {
                try (var set = connection.prepareStatement("select setval(?::regclass, ?)")) {
                    set.setString(1, '"' + one.getKey() + '"');
                    set.setLong(2, one.getValue());
                    set.execute();
                }
            }
        }
    }

    /// Whether nothing of ours, and nothing of anybody else's, is in the database.
    boolean isEmpty() throws SQLException {
        return row("select count(*) from pg_class where relnamespace = current_schema()::regnamespace"
                        + " and relkind in ('r', 'p')")
                .getFirst()
                .equals("0");
    }

    Connection connection() {
        return connection;
    }

    void commit() throws SQLException {
        execute("commit");
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private List<String> row(String sql) throws SQLException {
        return rows(sql).getFirst();
    }

    private List<List<String>> rows(String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<List<String>> all = new ArrayList<>();
            while (rows.next()) {
                List<String> one = new ArrayList<>();
                for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                    one.add(rows.getString(i));
                }
                all.add(one);
            }
            return all;
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}

package dev.holdfast.response;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import dev.holdfast.core.Selector;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Record;

/// How far automatic isolation may go in each environment, and whom it never touches.
final class PolicyStore {
    private PolicyStore() {}

    record Policy(Limits limits, NeverIsolate neverIsolate) {
        static final Policy DEFAULT = new Policy(Limits.DEFAULT, new NeverIsolate(List.of(), 0));
    }

    static Policy read(DSLContext sql, Environment environment) {
        return sql.fetchOptional(
                        "select share, most, window_s, never_isolate::text, revision from response_policy"
                                + " where environment = ?",
                        environment.value())
                .map(PolicyStore::policy)
                .orElse(Policy.DEFAULT);
    }

    /// As [#read], and no other change of any node counts against the limits until this one has committed.
    static Policy lock(DSLContext sql, Environment environment) {
        sql.execute(
                "insert into response_policy(environment, share, most, window_s, revision) values (?, ?, ?, ?, 0)"
                        + " on conflict do nothing",
                environment.value(),
                Limits.DEFAULT.share(),
                Limits.DEFAULT.most(),
                Limits.DEFAULT.window().toSeconds());
        return sql.fetchOptional(
                        "select share, most, window_s, never_isolate::text, revision from response_policy"
                                + " where environment = ? for update",
                        environment.value())
                .map(PolicyStore::policy)
                .orElseThrow();
    }

    static void write(DSLContext sql, Environment environment, Limits limits, List<String> selectors) {
        sql.execute(
                "update response_policy set share = ?, most = ?, window_s = ?, never_isolate = ?::jsonb,"
                        + " revision = revision + 1 where environment = ?",
                limits.share(),
                limits.most(),
                limits.window().toSeconds(),
                Json.text(selectors),
                environment.value());
    }

    private static Policy policy(Record row) {
        List<String> texts = IncidentStore.read(row.get(3, String.class), new TypeReference<List<String>>() {});
        return new Policy(
                new Limits(
                        row.get(0, Double.class),
                        row.get(1, Integer.class),
                        Duration.ofSeconds(row.get(2, Long.class))),
                new NeverIsolate(
                        texts.stream()
                                .map(text -> new NeverIsolate.Rule(text, Selector.parse(text)))
                                .toList(),
                        row.get(4, Long.class)));
    }

    static Optional<Long> cursor(DSLContext sql, boolean lock) {
        return sql.fetchOptional("select number from response_cursor" + (lock ? " for update" : ""))
                .map(row -> row.get(0, Long.class));
    }

    static void advance(DSLContext sql, long number) {
        sql.execute("update response_cursor set number = ? where number < ?", number, number);
    }
}

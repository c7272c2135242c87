package dev.holdfast.cmp;

import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DEROctetString;
import org.jooq.DSLContext;
import org.jooq.Record;

/// The table of transactions.
final class CmpTransactionStore {
    private static final String COLUMNS =
            "id, party, awaited_nonce, state, kind, request_id, request, profile, implicit,"
                    + " serial, opened_at, confirm_by";

    private CmpTransactionStore() {}

    /// @return false when there is one with this id, or one of this party that this nonce has opened
    static boolean open(
            DSLContext sql,
            Environment environment,
            CmpTransaction transaction,
            String openingNonce,
            Instant forgetAt) {
        return sql.execute(
                        "insert into cmp_transaction(environment, id, party, opening_nonce, awaited_nonce, state, kind,"
                                + " request_id, request, profile, implicit, opened_at, confirm_by, forget_at)"
                                + " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
                        environment.value(),
                        transaction.id(),
                        transaction.party(),
                        openingNonce,
                        transaction.awaitedNonce(),
                        transaction.state().text(),
                        transaction.kind().text(),
                        transaction.requestId(),
                        transaction.request().map(ASN1OctetString::getOctets).orElse(null),
                        transaction.profile().orElse(null),
                        transaction.implicit(),
                        utc(transaction.openedAt()),
                        utc(transaction.confirmBy()),
                        utc(forgetAt))
                == 1;
    }

    /// How much of one party is in the table.
    ///
    /// @param lately opened since the given time
    /// @param waiting whose request is kept, because it may have to be decided (again)
    record Load(int remembered, int lately, int waiting) {}

    static Load load(DSLContext sql, Environment environment, String party, Instant since) {
        return sql.fetchSingle(
                        "select count(*), count(*) filter (where opened_at > ?::timestamptz),"
                                + " count(*) filter (where state in ('deciding','held')) from cmp_transaction"
                                + " where environment = ? and party = ?",
                        utc(since),
                        environment.value(),
                        party)
                .map(row -> new Load(row.get(0, Integer.class), row.get(1, Integer.class), row.get(2, Integer.class)));
    }

    static Optional<CmpTransaction> lock(DSLContext sql, Environment environment, String id) {
        return sql.fetchOptional(
                        "select " + COLUMNS + " from cmp_transaction where environment = ? and id = ? for update",
                        environment.value(),
                        id)
                .map(CmpTransactionStore::transaction);
    }

    /// The request is kept only while it may have to be decided again.
    static void settle(
            DSLContext sql,
            Environment environment,
            String id,
            CmpTransaction.State state,
            Optional<Serial> serial,
            Instant confirmBy) {
        sql.execute(
                "update cmp_transaction set state = ?, serial = coalesce(?, serial), confirm_by = ?,"
                        + " request = case when ? = 'held' then request end where environment = ? and id = ?",
                state.text(),
                serial.map(Serial::hex).orElse(null),
                utc(confirmBy),
                state.text(),
                environment.value(),
                id);
    }

    static void await(DSLContext sql, Environment environment, String id, String nonce) {
        sql.execute(
                "update cmp_transaction set awaited_nonce = ? where environment = ? and id = ?",
                nonce,
                environment.value(),
                id);
    }

    /// Those whose confirmation is overdue, or whose decision a crash has interrupted; another node's sweep
    /// takes others at the same time.
    static List<CmpTransaction> lockOverdue(DSLContext sql, Environment environment, Instant now, int limit) {
        return sql.fetch(
                        "select " + COLUMNS + " from cmp_transaction where environment = ?"
                                + " and state in ('deciding','held','issued') and confirm_by < ?"
                                + " order by confirm_by limit ? for update skip locked",
                        environment.value(),
                        utc(now),
                        limit)
                .map(CmpTransactionStore::transaction);
    }

    /// Whether another transaction has given the same certificate, and that one is confirmed or may yet be.
    static boolean confirmedElsewhere(DSLContext sql, Environment environment, Serial serial, String id, Instant now) {
        return sql.fetchOptional(
                        "select 1 from cmp_transaction where serial = ? and environment = ? and id <> ?"
                                + " and (state = 'confirmed' or (state = 'issued' and confirm_by >= ?)) limit 1",
                        serial.hex(),
                        environment.value(),
                        id,
                        utc(now))
                .isPresent();
    }

    static int forget(DSLContext sql, Instant now, int limit) {
        return sql.execute(
                "delete from cmp_transaction where (environment, id) in (select environment, id from cmp_transaction"
                        + " where forget_at < ? and state in ('confirmed','ended') limit ?)",
                utc(now),
                limit);
    }

    private static CmpTransaction transaction(Record row) {
        return new CmpTransaction(
                row.get(0, String.class),
                row.get(1, String.class),
                row.get(2, String.class),
                CmpTransaction.State.of(row.get(3, String.class)),
                CmpTransaction.Kind.of(row.get(4, String.class)),
                row.get(5, Long.class),
                Optional.ofNullable(row.get(6, byte[].class)).map(DEROctetString::new),
                Optional.ofNullable(row.get(7, String.class)),
                row.get(8, Boolean.class),
                Optional.ofNullable(row.get(9, String.class)).map(Serial::new),
                row.get(10, OffsetDateTime.class).toInstant(),
                row.get(11, OffsetDateTime.class).toInstant());
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}

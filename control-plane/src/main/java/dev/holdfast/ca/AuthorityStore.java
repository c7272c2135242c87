package dev.holdfast.ca;

import dev.holdfast.core.Environment;
import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jspecify.annotations.Nullable;

/// The table of authorities.
final class AuthorityStore {
    private AuthorityStore() {}

    /// Those with a certificate.
    static List<Authority> all(DSLContext sql) {
        return sql.fetch("select id, purpose, environment, generation, certificate, issuer_chain, key_name,"
                        + " development, state, ended_at from authority where certificate is not null"
                        + " order by purpose, environment, generation")
                .map(AuthorityStore::authority);
    }

    /// The key's name of a request that waits for its certificate.
    static Optional<Requested> requested(DSLContext sql, String id) {
        return sql.fetchOptional(
                        "select id, purpose, environment, generation, key_name, request from authority"
                                + " where id = ? and state = 'requested'",
                        id)
                .map(row -> new Requested(
                        row.get(0, String.class),
                        Authority.Purpose.of(row.get(1, String.class)),
                        row.get(2, String.class),
                        row.get(3, Integer.class),
                        row.get(4, String.class),
                        row.get(5, String.class)));
    }

    record Requested(
            String id, Authority.Purpose purpose, String environment, int generation, String keyName, String request) {
        Optional<Environment> ofEnvironment() {
            return Optional.of(environment).filter(e -> !e.isEmpty()).map(Environment::new);
        }
    }

    static int nextGeneration(DSLContext sql, Authority.Purpose purpose, Optional<Environment> environment) {
        Record row = sql.fetchSingle(
                "select coalesce(max(generation), 0) + 1 from authority where purpose = ? and environment = ?",
                purpose.text(),
                environment.map(Environment::value).orElse(""));
        return row.get(0, Integer.class);
    }

    static void insert(DSLContext sql, Authority authority, Instant now) {
        sql.execute(
                "insert into authority(id, purpose, environment, generation, key_name, certificate, issuer_chain,"
                        + " development, state, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                authority.id(),
                authority.purpose().text(),
                authority.environment().map(Environment::value).orElse(""),
                authority.generation(),
                authority.keyName(),
                Certificates.der(authority.certificate()),
                authority.above().isEmpty() ? null : CertificatesOnly.encode(authority.above()),
                authority.development(),
                authority.standing().text(),
                now.atOffset(ZoneOffset.UTC));
    }

    static void insertRequest(DSLContext sql, Requested requested, Instant now) {
        sql.execute(
                "insert into authority(id, purpose, environment, generation, key_name, request, development, state,"
                        + " created_at) values (?, ?, ?, ?, ?, ?, false, 'requested', ?)",
                requested.id(),
                requested.purpose().text(),
                requested.environment(),
                requested.generation(),
                requested.keyName(),
                requested.request(),
                now.atOffset(ZoneOffset.UTC));
    }

    static void answer(DSLContext sql, Authority authority) {
        sql.execute(
                "update authority set certificate = ?, issuer_chain = ?, state = ? where id = ?",
                Certificates.der(authority.certificate()),
                CertificatesOnly.encode(authority.above()),
                authority.standing().text(),
                authority.id());
    }

    static boolean setStanding(DSLContext sql, String id, Authority.Standing from, Authority.Standing to, Instant now) {
        return sql.execute(
                        "update authority set state = ?, ended_at = ?::timestamptz where id = ? and state = ?",
                        to.text(),
                        to.isTrusted() ? null : now.atOffset(ZoneOffset.UTC),
                        id,
                        from.text())
                == 1;
    }

    /// A root's certificate for the key of another root.
    record Cross(String subject, String issuer, X509Certificate certificate) {}

    /// Makes whoever changes what hangs from a root wait for whoever else does.
    static void lockRoots(DSLContext sql) {
        sql.fetch("select id from authority where purpose = 'root' order by id for update");
    }

    static void insertCross(DSLContext sql, Cross cross) {
        sql.execute(
                "insert into authority_cross(subject, issuer, certificate) values (?, ?, ?)",
                cross.subject(),
                cross.issuer(),
                Certificates.der(cross.certificate()));
    }

    static List<Cross> crosses(DSLContext sql) {
        return sql.fetch("select subject, issuer, certificate from authority_cross order by subject, issuer")
                .map(row -> {
                    try {
                        return new Cross(
                                row.get(0, String.class),
                                row.get(1, String.class),
                                Certificates.parse(row.get(2, byte[].class)));
                    } catch (X509FormatException e) {
                        throw new IllegalStateException("a stored certificate can't be read", e);
                    }
                });
    }

    private static Authority authority(Record row) {
        try {
            String environment = row.get(2, String.class);
            byte @Nullable [] above = row.get(5, byte[].class);
            return new Authority(
                    row.get(0, String.class),
                    Authority.Purpose.of(row.get(1, String.class)),
                    environment.isEmpty() ? Optional.empty() : Optional.of(new Environment(environment)),
                    row.get(3, Integer.class),
                    Certificates.parse(row.get(4, byte[].class)),
                    above == null ? List.of() : CertificatesOnly.decode(above),
                    row.get(6, String.class),
                    row.get(7, Boolean.class),
                    Authority.Standing.of(row.get(8, String.class)),
                    Optional.ofNullable(row.get(9, OffsetDateTime.class)).map(OffsetDateTime::toInstant));
        } catch (X509FormatException e) {
            throw new IllegalStateException("a stored authority can't be read", e);
        }
    }
}

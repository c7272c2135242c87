package dev.holdfast.ca;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.database.PlainSql;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.Certificates;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jspecify.annotations.Nullable;

/// The table of certificates.
final class CertificateStore {
    private static final String COLUMNS = "serial, authority, profile, environment, device, name, key_fingerprint,"
            + " state, held, not_before, not_after, granted_by, issued_at, activated_at, ended_at,"
            + " revocation_reason, der, alternative_names, renew_at";

    private CertificateStore() {}

    /// Stores what is granted, and binds a device's key to it for ever, at once.
    ///
    /// @param signed the certificate; empty while it is only intended
    /// @return false when the key is bound to another device; nothing is stored then
    static boolean insert(DSLContext sql, Intended intended, Optional<X509Certificate> signed, Instant now) {
        String environment = intended.environment().value();
        String device = intended.device().map(d -> d.id().value()).orElse(null);
        String key = Issuance.fingerprint(intended.publicKey());
        return PlainSql.execute(
                        sql,
                        "with bound as (insert into device_key(key_fingerprint, environment, device)"
                                + " select ?, ?, owner from (select ?::text as owner) asked where owner is not null"
                                + " on conflict (key_fingerprint) do nothing returning 1)"
                                + " insert into certificate(serial, authority, profile, usages, environment, device,"
                                + " name, alternative_names, public_key, key_fingerprint, state, not_before, not_after,"
                                + " renew_at, intended_at, granted_by, crl_part, der, issued_at)"
                                + " select ?, ?, ?, ?, ?, owner, ?, ?, ?::bytea, ?, ?, ?::timestamptz,"
                                + " ?::timestamptz, ?::timestamptz, ?::timestamptz, ?, ?::bigint, ?::bytea, ?::timestamptz"
                                + " from (select ?::text as owner) asked where owner is null"
                                + " or exists (select 1 from bound) or exists (select 1 from device_key"
                                + " where key_fingerprint = ? and environment = ? and device = owner)",
                        key,
                        environment,
                        device,
                        intended.serial().hex(),
                        intended.authority(),
                        intended.profile(),
                        usages(intended.usages()),
                        environment,
                        intended.name(),
                        String.join("\n", intended.alternativeNames()),
                        Issuance.der(intended.publicKey()),
                        key,
                        (signed.isPresent() ? intended.whenSigned() : CertificateState.INTENDED).text(),
                        intended.notBefore(),
                        intended.notAfter(),
                        intended.renewAt(),
                        now,
                        intended.grantedBy(),
                        intended.listPart(),
                        signed.map(Certificates::der).orElse(null),
                        signed.isPresent() ? now : null,
                        device,
                        key,
                        environment)
                == 1;
    }

    /// The first of a block of places in revocation lists, for [ListParts].
    static long places(DSLContext sql) {
        return sql.fetchSingle("select nextval('certificate_place')").get(0, Long.class);
    }

    /// What is known of a key, asked at once. A certificate that was never used and ended only because its
    /// device did not take it (CMP) says nothing of the key.
    static Issuance.KnownKey knownKey(DSLContext sql, String keyFingerprint, Optional<DeviceRef> device) {
        return PlainSql.first(
                        sql,
                        "select (select environment || ' ' || device from device_key where key_fingerprint = asked.key),"
                                + " exists (select 1 from certificate"
                                + " where key_fingerprint = asked.key and state = 'revoked' and not (activated_at is"
                                + " null and revocation_reason = 'cessation-of-operation')),"
                                + " (select serial from certificate where key_fingerprint = asked.key"
                                + " and environment = ? and device = ? and state in ('intended','pending')"
                                + " and not held order by intended_at desc limit 1)"
                                + " from (select ?::text as key) asked",
                        row -> new Issuance.KnownKey(
                                row.optionalText(1)
                                        .map(owner -> owner.split(" ", 2))
                                        .map(owner -> DeviceRef.of(owner[0], owner[1])),
                                row.flag(2),
                                row.optionalText(3).map(Serial::new)),
                        device.map(d -> d.environment().value()).orElse(""),
                        device.map(d -> d.id().value()).orElse(""),
                        keyFingerprint)
                .orElseThrow();
    }

    /// @return false when it is not intended any more: somebody else finished it
    static boolean issued(DSLContext sql, Serial serial, byte[] der, CertificateState state, Instant now) {
        return PlainSql.execute(
                        sql,
                        "update certificate set state = ?, der = ?, issued_at = ? where serial = ? and state ="
                                + " 'intended'",
                        state.text(),
                        der,
                        now,
                        serial.hex())
                == 1;
    }

    static Optional<IssuedCertificate> find(DSLContext sql, Serial serial) {
        return sql.fetchOptional("select " + COLUMNS + " from certificate where serial = ?", serial.hex())
                .map(CertificateStore::issued);
    }

    static Optional<IssuedCertificate> lock(DSLContext sql, Serial serial) {
        return sql.fetchOptional("select " + COLUMNS + " from certificate where serial = ? for update", serial.hex())
                .map(CertificateStore::issued);
    }

    /// Newest first.
    static List<IssuedCertificate> ofDevice(DSLContext sql, DeviceRef device) {
        return sql.fetch(
                        "select " + COLUMNS + " from certificate where environment = ? and device = ?"
                                + " order by intended_at desc, serial limit 200",
                        device.environment().value(),
                        device.id().value())
                .map(CertificateStore::issued);
    }

    /// Soonest first.
    static List<IssuedCertificate> list(
            DSLContext sql, Environment environment, Optional<DeviceId> device, Issuance.Position after, int limit) {
        String id = device.map(DeviceId::value).orElse("");
        return sql.fetch(
                        "select " + COLUMNS + " from certificate where environment = ? and device is not null"
                                + " and (? = '' or device = ?) and (not_before, serial) < (?::timestamptz, ?)"
                                + " order by not_before desc, serial desc limit ?",
                        environment.value(),
                        id,
                        id,
                        utc(after.notBefore()),
                        after.serial(),
                        limit)
                .map(CertificateStore::issued);
    }

    static List<IssuedCertificate> endingBefore(DSLContext sql, Environment environment, Instant before, int limit) {
        return sql.fetch(
                        "select " + COLUMNS + " from certificate where environment = ? and not_after < ?"
                                + " and device is not null and state in ('pending','current') order by not_after, serial limit ?",
                        environment.value(),
                        utc(before),
                        limit)
                .map(CertificateStore::issued);
    }

    static List<Serial> intendedSerials(DSLContext sql) {
        return sql.fetch("select serial from certificate where state = 'intended' and device is not null"
                        + " order by intended_at")
                .map(row -> new Serial(row.get(0, String.class)));
    }

    static Optional<Intended> intended(DSLContext sql, Serial serial) {
        return sql.fetchOptional(
                        "select serial, authority, environment, device, name, alternative_names, public_key,"
                                + " not_before, not_after, granted_by, profile, usages, renew_at, crl_part"
                                + " from certificate"
                                + " where serial = ?",
                        serial.hex())
                .map(row -> new Intended(
                        new Serial(row.get(0, String.class)),
                        row.get(1, String.class),
                        row.get(10, String.class),
                        usages(row.get(11, String.class)),
                        new Environment(row.get(2, String.class)),
                        device(row.get(2, String.class), row.get(3, String.class)),
                        row.get(4, String.class),
                        List.of(row.get(5, String.class).split("\n")),
                        SubjectPublicKeyInfo.getInstance(row.get(6, byte[].class)),
                        row.get(7, OffsetDateTime.class).toInstant(),
                        row.get(8, OffsetDateTime.class).toInstant(),
                        row.get(12, OffsetDateTime.class).toInstant(),
                        row.get(9, String.class),
                        row.get(13, Long.class)));
    }

    private static String usages(Set<CertificateProfile.Usage> usages) {
        return usages.stream()
                .sorted()
                .map(CertificateProfile.Usage::text)
                .collect(java.util.stream.Collectors.joining(" "));
    }

    private static Set<CertificateProfile.Usage> usages(String text) {
        return java.util.Arrays.stream(text.split(" "))
                .map(usage -> CertificateProfile.Usage.parse(usage).orElseThrow())
                .collect(java.util.stream.Collectors.toUnmodifiableSet());
    }

    static void setState(
            DSLContext sql, Serial serial, CertificateState state, @Nullable RevocationReason reason, Instant now) {
        sql.execute(
                "update certificate set state = ?, revocation_reason = ?,"
                        + " activated_at = case when ? = 'current' then ?::timestamptz else activated_at end,"
                        + " ended_at = case when ? = 'current' then ended_at else ?::timestamptz end"
                        + " where serial = ?",
                state.text(),
                reason == null ? null : reason.text(),
                state.text(),
                utc(now),
                state.text(),
                utc(now),
                serial.hex());
    }

    /// The certificates of the device that its newer one replaces: issued before it and still counting.
    static List<Serial> before(DSLContext sql, DeviceRef device, Serial newer) {
        return sql.fetch(
                        "select serial from certificate where environment = ? and device = ? and serial <> ?"
                                + " and state in ('pending','current')"
                                + " and issued_at <= (select issued_at from certificate where serial = ?)",
                        device.environment().value(),
                        device.id().value(),
                        newer.hex(),
                        newer.hex())
                .map(row -> new Serial(row.get(0, String.class)));
    }

    /// As [#ofDevice], locked.
    static List<IssuedCertificate> lockOfDevice(DSLContext sql, DeviceRef device) {
        return sql.fetch(
                        "select " + COLUMNS + " from certificate where environment = ? and device = ?"
                                + " and state in ('current','superseded') order by intended_at desc, serial limit 200"
                                + " for update",
                        device.environment().value(),
                        device.id().value())
                .map(CertificateStore::issued);
    }

    /// Superseded, and current again.
    static void restore(DSLContext sql, Serial serial) {
        sql.execute(
                "update certificate set state = 'current', ended_at = null where serial = ? and state = 'superseded'",
                serial.hex());
    }

    /// @return the superseded ones that still counted
    static List<Serial> endOverlap(DSLContext sql, DeviceRef device, Instant now) {
        return sql.fetch(
                        "update certificate set ended_at = ? where environment = ? and device = ?"
                                + " and state = 'superseded' and ended_at > ? returning serial",
                        utc(now),
                        device.environment().value(),
                        device.id().value(),
                        utc(now))
                .map(row -> new Serial(row.get(0, String.class)));
    }

    /// Sets or clears the hold of every certificate of the device that still counts.
    ///
    /// @return those that changed
    static List<Serial> hold(DSLContext sql, DeviceRef device, boolean held, Instant now) {
        return sql.fetch(
                        "update certificate set held = ?, ended_at = ?, released_at = ? where environment = ?"
                                + " and device = ? and held <> ? and state in ('intended','pending','current')"
                                + " returning serial",
                        held,
                        held ? utc(now) : null,
                        held ? null : utc(now),
                        device.environment().value(),
                        device.id().value(),
                        held)
                .map(row -> new Serial(row.get(0, String.class)));
    }

    /// Every certificate that has not ended before this time. There may be a million, read at every start.
    static void standings(DSLContext sql, Instant endingAfter, BiConsumer<Serial, CertificateStanding> each) {
        PlainSql.each(
                sql,
                "select serial, authority, environment, device, state, held, ended_at, revocation_reason"
                        + " from certificate where not_after > ? and state <> 'intended'",
                row -> each.accept(
                        new Serial(row.text(1)),
                        new CertificateStanding(
                                row.text(2),
                                device(row.text(3), row.optionalText(4).orElse(null)),
                                CertificateState.of(row.text(5)),
                                row.flag(6),
                                row.optionalTime(7).map(end -> end.truncatedTo(ChronoUnit.SECONDS)),
                                row.optionalText(8).flatMap(RevocationReason::parse))),
                endingAfter);
    }

    /// SHA-256 of every certificate that was signed and has not ended long ago.
    static void fingerprints(DSLContext sql, Instant endingAfter, Consumer<byte[]> each) {
        PlainSql.each(
                sql,
                "select sha256(der) from certificate where not_after > ? and der is not null",
                row -> row.optionalOctets(1).ifPresent(each),
                endingAfter);
    }

    private static IssuedCertificate issued(Record row) {
        return new IssuedCertificate(
                new Serial(row.get(0, String.class)),
                row.get(1, String.class),
                row.get(2, String.class),
                device(row.get(3, String.class), row.get(4, String.class)),
                row.get(5, String.class),
                row.get(6, String.class),
                CertificateState.of(row.get(7, String.class)),
                row.get(8, Boolean.class),
                row.get(9, OffsetDateTime.class).toInstant(),
                row.get(10, OffsetDateTime.class).toInstant(),
                row.get(11, String.class),
                instant(row.get(12, OffsetDateTime.class)),
                instant(row.get(13, OffsetDateTime.class)),
                instant(row.get(14, OffsetDateTime.class)),
                Optional.ofNullable(row.get(15, String.class)).flatMap(RevocationReason::parse),
                List.of(row.get(17, String.class).split("\n")),
                instant(row.get(18, OffsetDateTime.class)),
                Optional.ofNullable(row.get(16, byte[].class)));
    }

    private static Optional<DeviceRef> device(String environment, @Nullable String device) {
        return device == null ? Optional.empty() : Optional.of(DeviceRef.of(environment, device));
    }

    private static Optional<Instant> instant(@Nullable OffsetDateTime time) {
        return Optional.ofNullable(time).map(OffsetDateTime::toInstant);
    }

    static List<Serial> serials(List<String> hex) {
        List<Serial> all = new ArrayList<>(hex.size());
        hex.forEach(h -> all.add(new Serial(h)));
        return all;
    }

    static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}

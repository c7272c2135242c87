package dev.holdfast.revocation;

import dev.holdfast.ca.Authorities;
import dev.holdfast.ca.Authority;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Journal;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.SignatureSchemes;
import java.io.IOException;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.CRLNumber;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x509.V2TBSCertListGenerator;

/// Certificate revocation lists (RFC 5280 section 5), one for each authority, made when asked for and something
/// has changed since; a long list, which takes long to make, is made at most in a twentieth of the time.
public final class RevocationLists {
    private final Database database;
    private final Authorities authorities;
    private final Duration lifetime;
    private final InstantSource clock;
    private final AtomicLong changes = new AtomicLong();
    private final Map<String, Made> made = new ConcurrentHashMap<>();

    RevocationLists(
            Database database, Journal journal, Authorities authorities, Duration lifetime, InstantSource clock) {
        this.database = database;
        this.authorities = authorities;
        this.lifetime = lifetime;
        this.clock = clock;
        journal.subscribe(entry -> {
            if (entry.content().contains("\"kind\":\"certificate.")) {
                changes.incrementAndGet();
            }
        });
    }

    /// @param asOf how many changes had been seen when it was begun
    private record Made(
            org.bouncycastle.asn1.ASN1OctetString list, long asOf, Instant at, Duration cost, BigInteger number) {}

    /// The list of this authority, DER; empty when we don't have its key (any more). May block for the database.
    public Optional<byte[]> current(Authority authority) {
        if (!authorities.canSign(authority)) {
            return Optional.empty();
        }
        return Optional.of(made.compute(
                        authority.id(),
                        (_, before) -> before != null && good(before) ? before : make(authority, before))
                .list()
                .getOctets());
    }

    private boolean good(Made list) {
        Instant now = clock.instant();
        Duration age = Duration.between(list.at(), now);
        if (age.compareTo(lifetime.dividedBy(2)) > 0) {
            return false;
        }
        return list.asOf() == changes.get() || age.compareTo(list.cost().multipliedBy(20)) < 0;
    }

    /// Section 5.1: version 2, issuer, both times, the certificates that have not expired yet, and the extensions
    /// that section 5.2 asks for. The number comes from time, so it only grows, whichever node makes the list and
    /// whatever backup was restored.
    private Made make(Authority authority, @org.jspecify.annotations.Nullable Made before) {
        long begun = System.nanoTime();
        long asOf = changes.get();
        Instant now = clock.instant();
        BigInteger number = BigInteger.valueOf(now.toEpochMilli());
        if (before != null && number.compareTo(before.number()) <= 0) {
            number = before.number().add(BigInteger.ONE);
        }
        V2TBSCertListGenerator list = new V2TBSCertListGenerator();
        var algorithm = SignatureSchemes.identifier(authorities.scheme(authority));
        list.setSignature(algorithm);
        list.setIssuer(X500Name.getInstance(
                authority.certificate().getSubjectX500Principal().getEncoded()));
        list.setThisUpdate(time(now));
        list.setNextUpdate(time(now.plus(lifetime)));
        for (RevocationStore.Revoked revoked : database.<List<RevocationStore.Revoked>>read(
                sql -> RevocationStore.revoked(sql, authority.id(), now))) {
            list.addCRLEntry(
                    new ASN1Integer(revoked.serial().number()),
                    time(revoked.at()),
                    revoked.reason().code());
        }
        try {
            list.setExtensions(new Extensions(new Extension[] {
                Extension.create(
                        Extension.authorityKeyIdentifier,
                        false,
                        new AuthorityKeyIdentifier(Certificates.subjectKeyId(authority.certificate()))),
                Extension.create(Extension.cRLNumber, false, new CRLNumber(number))
            }));
            var contents = list.generateTBSCertList();
            ASN1EncodableVector all = new ASN1EncodableVector();
            all.add(contents);
            all.add(algorithm);
            all.add(new DERBitString(authorities.signList(authority, contents.getEncoded(ASN1Encoding.DER))));
            byte[] der = new DERSequence(all).getEncoded(ASN1Encoding.DER);
            return new Made(
                    new org.bouncycastle.asn1.DEROctetString(der),
                    asOf,
                    now,
                    Duration.ofNanos(System.nanoTime() - begun),
                    number);
        } catch (IOException e) {
            throw new IllegalStateException("a revocation list that can't be encoded", e);
        }
    }

    private static Time time(Instant at) {
        return new Time(Date.from(at), Locale.ROOT);
    }
}

package dev.holdfast.ceremony;

import dev.holdfast.ceremony.ProtocolDocument.Fact;
import dev.holdfast.core.Digest;
import dev.holdfast.protocol.ceremony.KeyShare;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.protocol.x509.NameLimits;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.protocol.x509.X509FormatException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.CRLReason;

/// What is done at the table, each act with its protocol. Pure but for the randomness that is passed in.
///
/// The root's private key is never written: it exists in memory while a command runs, and in people's shares.
final class Ceremony {
    private static final String REHEARSAL = "REHEARSAL";
    private static final Duration ROOT_LIFETIME = Duration.ofDays(20 * 365L);
    private static final int MOST_PEOPLE = 20;

    private final List<String> people;
    private final Instant now;
    private final SecureRandom random;

    /// @param people who is there
    Ceremony(List<String> people, Instant now, SecureRandom random) throws CeremonyException {
        if (people.size() < 2 || people.size() > MOST_PEOPLE) {
            throw new CeremonyException("a ceremony has 2 to " + MOST_PEOPLE + " people; name them with --people");
        }
        for (String person : people) {
            if (person.isBlank() || person.length() > 80 || !person.chars().allMatch(c -> c >= 32 && c != 127)) {
                throw new CeremonyException("a person's name is 1 to 80 printable characters");
            }
        }
        this.people = List.copyOf(people);
        this.now = now;
        this.random = random;
    }

    /// What leaves the table.
    ///
    /// @param files names and contents
    /// @param record what the server is told
    record Outcome(Map<String, String> files, ProtocolDocument protocol, Map<String, Object> record) {}

    /// Makes a root and splits its key.
    Outcome root(String name, String organization, KeyKind kind, int threshold, int count, boolean rehearsal)
            throws CeremonyException {
        X500NameBuilder subject = new X500NameBuilder(BCStyle.INSTANCE);
        subject.addRDN(BCStyle.O, new DERUTF8String(organization));
        if (rehearsal) {
            subject.addRDN(BCStyle.OU, new DERUTF8String(REHEARSAL));
        }
        RootKey.Made made;
        try {
            made = RootKey.make(kind, threshold, count, rehearsal, random);
        } catch (IllegalArgumentException e) {
            throw new CeremonyException(String.valueOf(e.getMessage()), e);
        }
        X509Certificate root = RootSigner.certify(
                new RootSigner.Subject(
                        subject.addRDN(BCStyle.CN, new DERUTF8String(name)).build(),
                        made.key().publicKey(),
                        2, // an issuer, and between them another root of the house in a rollover
                        Optional.empty()),
                made.key(),
                Optional.empty(),
                ROOT_LIFETIME,
                now,
                random);
        Map<String, String> files = new LinkedHashMap<>();
        files.put("root.pem", Certificates.pem(root));
        List<String> steps = new ArrayList<>(List.of(
                "This machine has never been on a network since it was set up, and no cable or radio is on it now.",
                "The program was compared with its published digest by two people.",
                "The root's fingerprint above was read aloud from the screen and written down by everybody."));
        for (KeyShare share : made.shares()) {
            files.put(
                    "share-" + share.index() + ".txt",
                    "Holdfast key share\n" + share + "\n" + name + "\n\n" + share.text());
            steps.add("Share " + share.index()
                    + " was printed, checked with `holdfast ceremony verify-share`, sealed in an"
                    + " envelope and given to: ______________________");
        }
        steps.add("The share files were erased from this machine, and the machine's storage destroyed or locked away.");
        steps.add("root.pem, this protocol and record.json left the room on: ______________________");
        return outcome(
                "a root is made",
                rehearsal,
                root,
                List.of(new Fact("shares", count + ", of which any " + threshold + " restore the key")),
                steps,
                files,
                "root",
                List.of(),
                made.shares());
    }

    /// Certifies an issuer's request.
    Outcome sign(
            X509Certificate root, List<KeyShare> shares, String request, Duration lifetime, Optional<NameLimits> limits)
            throws CeremonyException {
        CertificationRequest wanted = request(request);
        RootKey key = RootKey.restore(shares, root);
        boolean rehearsal = requireSame(root, shares);
        X509Certificate issuer = RootSigner.certify(
                new RootSigner.Subject(subject(wanted), wanted.publicKey(), 0, limits),
                key,
                Optional.of(root),
                lifetime,
                now,
                random);
        Map<String, String> files = new LinkedHashMap<>();
        files.put("issuer.pem", Certificates.pem(issuer));
        files.put("chain.pem", Certificates.pem(issuer) + Certificates.pem(root));
        return outcome(
                "an issuer is certified",
                rehearsal,
                root,
                List.of(
                        new Fact("issuer", issuer.getSubjectX500Principal().getName()),
                        new Fact("issuer, SHA-256", Certificates.printedFingerprint(issuer)),
                        new Fact(
                                "issuer's key, SHA-256",
                                Certificates.keyFingerprint(
                                        issuer.getPublicKey().getEncoded())),
                        // Of the file as it came: what `sha256sum` says on the server, and is read aloud.
                        new Fact(
                                "request's file, SHA-256",
                                Digest.of(request.getBytes(StandardCharsets.UTF_8))
                                        .hex()),
                        new Fact("valid until", issuer.getNotAfter().toInstant().toString()),
                        new Fact(
                                "names it may certify",
                                limits.map(NameLimits::words).orElse("not limited"))),
                List.of(
                        "The SHA-256 of the request's file was compared with what the server's operator read aloud.",
                        "The shares were read from their envelopes; each envelope was whole: ______________________",
                        "The shares went back into new envelopes, numbered: ______________________",
                        "chain.pem, this protocol and record.json left the room on: ______________________"),
                files,
                "sign",
                List.of(issuer),
                shares);
    }

    /// The old root certifies the new one, or the new one the old: RFC 4210 section 4.4.
    Outcome cross(X509Certificate root, List<KeyShare> shares, X509Certificate other, Duration lifetime)
            throws CeremonyException {
        if (other.getBasicConstraints() < 1
                || !other.getSubjectX500Principal().equals(other.getIssuerX500Principal())) {
            throw new CeremonyException("the other certificate is not a root's");
        }
        RootKey key = RootKey.restore(shares, root);
        boolean rehearsal = requireSame(root, shares);
        X509Certificate cross = RootSigner.certify(
                new RootSigner.Subject(
                        X500Name.getInstance(other.getSubjectX500Principal().getEncoded()),
                        other.getPublicKey(),
                        1,
                        Optional.empty()),
                key,
                Optional.of(root),
                lifetime,
                now,
                random);
        return outcome(
                "a root certifies another root of the same house",
                rehearsal,
                root,
                List.of(
                        new Fact("other root", other.getSubjectX500Principal().getName()),
                        new Fact("other root, SHA-256", Certificates.printedFingerprint(other)),
                        new Fact("cross certificate, SHA-256", Certificates.printedFingerprint(cross))),
                List.of("The other root's fingerprint was compared with its own protocol."),
                Map.of("cross.pem", Certificates.pem(cross)),
                "cross",
                List.of(cross),
                shares);
    }

    /// Takes issuers back: a list for those who check it, such as `openssl verify -crl_check_all`.
    ///
    /// @param reason of all of them, as [CRLReason] numbers it
    Outcome revoke(
            X509Certificate root, List<KeyShare> shares, List<X509Certificate> issuers, int reason, Duration lifetime)
            throws CeremonyException {
        RootKey key = RootKey.restore(shares, root);
        boolean rehearsal = requireSame(root, shares);
        List<BigInteger> serials =
                issuers.stream().map(X509Certificate::getSerialNumber).toList();
        byte[] list = RootSigner.revocationList(key, root, serials, CRLReason.lookup(reason), lifetime, now);
        return outcome(
                "issuers are revoked",
                rehearsal,
                root,
                issuers.stream()
                        .map(issuer -> new Fact(
                                "revoked",
                                issuer.getSubjectX500Principal().getName() + ", serial "
                                        + issuer.getSerialNumber().toString(16)))
                        .toList(),
                List.of("crl.pem was published where verifiers look for the root's list."),
                Map.of("crl.pem", Pem.encode("X509 CRL", list)),
                "revoke",
                List.of(),
                shares);
    }

    /// Shows that these shares still give the key, and keeps nothing of it.
    Outcome restore(X509Certificate root, List<KeyShare> shares) throws CeremonyException {
        RootKey key = RootKey.restore(shares, root);
        boolean rehearsal = requireSame(root, shares);
        return outcome(
                "the restore of the shares is practised",
                rehearsal,
                root,
                List.of(new Fact("restored", "the key of root " + RootKey.name(key.publicKey()))),
                List.of("The shares went back into new envelopes, numbered: ______________________"),
                Map.of(),
                "restore",
                List.of(),
                shares);
    }

    /// Practice and earnest are never mixed: a rehearsal's root says so in its name, and so do its shares.
    private static boolean requireSame(X509Certificate root, List<KeyShare> shares) throws CeremonyException {
        boolean rehearsal = root.getSubjectX500Principal().getName().contains("OU=" + REHEARSAL);
        if (shares.getFirst().rehearsal() != rehearsal) {
            throw new CeremonyException("shares of a rehearsal and a root in earnest, or the other way round");
        }
        return rehearsal;
    }

    private static CertificationRequest request(String pem) throws CeremonyException {
        try {
            return CertificationRequest.verify(
                    Pem.decode(Pem.CERTIFICATE_REQUEST, pem).getFirst());
        } catch (X509FormatException | CertificationRequestException | java.util.NoSuchElementException e) {
            throw new CeremonyException("the request is not one, or its signature is wrong: " + e.getMessage(), e);
        }
    }

    private static X500Name subject(CertificationRequest request) {
        return org.bouncycastle.asn1.pkcs.CertificationRequest.getInstance(request.der())
                .getCertificationRequestInfo()
                .getSubject();
    }

    private Outcome outcome(
            String title,
            boolean rehearsal,
            X509Certificate root,
            List<Fact> facts,
            List<String> steps,
            Map<String, String> files,
            String kind,
            List<X509Certificate> signed,
            List<KeyShare> shares) {
        List<Fact> all = new ArrayList<>(List.of(
                new Fact("root", root.getSubjectX500Principal().getName()),
                new Fact("root, SHA-256", Certificates.printedFingerprint(root)),
                new Fact(
                        "root's key, SHA-256",
                        Certificates.keyFingerprint(root.getPublicKey().getEncoded()))));
        all.addAll(facts);
        all.add(new Fact(
                "shares used",
                String.join(
                        ", ",
                        shares.stream().map(s -> String.valueOf(s.index())).toList())));
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("v", 1);
        record.put("kind", kind);
        record.put("rehearsal", rehearsal);
        record.put("at", now.toString());
        record.put("people", people);
        record.put("rootSubject", root.getSubjectX500Principal().getName());
        record.put("rootSha256", Certificates.fingerprint(root));
        record.put("threshold", shares.getFirst().threshold());
        record.put("shares", shares.getFirst().count());
        record.put(
                "signedSha256", signed.stream().map(Certificates::fingerprint).toList());
        return new Outcome(files, new ProtocolDocument(title, rehearsal, now, people, all, steps), record);
    }
}

package dev.holdfast.ca;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Journal;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.protocol.x509.SignatureSchemes;
import java.io.IOException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.pkcs.CertificationRequest;
import org.bouncycastle.asn1.pkcs.CertificationRequestInfo;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// Issuers under the operator's own root: a request goes out, a certificate comes in. That is the root
/// ceremony: from then on this installation's certificates for that purpose no longer say DEVELOPMENT.
///
/// The root's key is never here. Certificates issued before stay valid under the issuer that made them.
public final class OwnRoot {
    private final Journal journal;
    private final Authorities authorities;
    private final boolean hostNameRecorded;

    OwnRoot(Journal journal, Authorities authorities, boolean hostNameRecorded) {
        this.journal = journal;
        this.authorities = authorities;
        this.hostNameRecorded = hostNameRecorded;
    }

    /// @param id to be given with the answer
    /// @param pem PKCS #10
    public record Request(String id, String pem) {}

    /// What became of an answer.
    public enum Installed {
        INSTALLED,
        /// There is no such request, or it was answered before.
        NOT_REQUESTED,
        /// Without `publicHostName` in the configuration certificates would name a place nobody can ask.
        HOST_NAME_NOT_RECORDED,
        /// The certificate is for another key than the request's.
        KEY_DIFFERS,
        /// Not a CA's: basicConstraints CA and keyUsage keyCertSign and cRLSign are needed.
        NOT_AN_AUTHORITY,
        NOT_VALID_NOW,
        /// The chain does not lead, signature by signature, to a self-signed root.
        CHAIN_BROKEN
    }

    /// Makes a key and a request for an issuer of devices' certificates in this environment.
    public Request requestDevices(Environment environment, Actor actor) {
        return request(Authority.Purpose.DEVICE, Optional.of(environment), "Holdfast devices " + environment, actor);
    }

    /// The same for the issuer of our own listeners' certificates.
    public Request requestServers(Actor actor) {
        return request(Authority.Purpose.SERVER, Optional.empty(), "Holdfast servers", actor);
    }

    private Request request(Authority.Purpose purpose, Optional<Environment> environment, String name, Actor actor) {
        return journal.commit(tx -> {
            int generation = AuthorityStore.nextGeneration(tx.sql(), purpose, environment);
            String id = purpose.text() + environment.map(e -> "-" + e).orElse("") + "-" + generation;
            String pem = Pem.encode(Pem.CERTIFICATE_REQUEST, request(id, name + " G" + generation));
            AuthorityStore.insertRequest(
                    tx.sql(),
                    new AuthorityStore.Requested(
                            id, purpose, environment.map(Environment::value).orElse(""), generation, id, pem),
                    tx.now());
            tx.record(new dev.holdfast.journal.Entry(
                    "authority.requested",
                    environment.orElse(new Environment("all")),
                    "authority:" + id,
                    actor,
                    "to be certified by the operator's own root",
                    java.util.Map.of("name", name)));
            return new Request(id, pem);
        });
    }

    private byte[] request(String keyName, String name) {
        try {
            SubjectPublicKeyInfo key = authorities.certificates().key(keyName);
            CertificationRequestInfo info =
                    new CertificationRequestInfo(CertificateTemplate.authorityName(name, false), key, null);
            byte[] signature = authorities.keys().sign(keyName, info.getEncoded(ASN1Encoding.DER));
            return new CertificationRequest(
                            info,
                            SignatureSchemes.identifier(CertificateTemplate.scheme(key)),
                            new DERBitString(signature))
                    .getEncoded(ASN1Encoding.DER);
        } catch (IOException e) {
            throw new IllegalStateException("a request that can't be encoded", e);
        }
    }

    /// Takes the certificate and those above it, and issues from it from now on.
    ///
    /// @param chain the new issuer's first, each signed by the next, the root last
    public Installed install(String id, List<X509Certificate> chain, Actor actor) {
        if (!hostNameRecorded) {
            return Installed.HOST_NAME_NOT_RECORDED;
        }
        Installed outcome = journal.commit(tx -> {
            Optional<AuthorityStore.Requested> requested = AuthorityStore.requested(tx.sql(), id);
            if (requested.isEmpty()) {
                return Installed.NOT_REQUESTED;
            }
            Installed fault = check(chain, requested.get().keyName(), tx.now());
            if (fault != Installed.INSTALLED) {
                return fault;
            }
            List<X509Certificate> above = chain.subList(1, chain.size());
            AuthorityStore.answer(tx.sql(), id, chain.getFirst(), above);
            Authority authority = new Authority(
                    id,
                    requested.get().purpose(),
                    Optional.of(requested.get().environment())
                            .filter(e -> !e.isEmpty())
                            .map(Environment::new),
                    requested.get().generation(),
                    chain.getFirst(),
                    above,
                    requested.get().keyName(),
                    false,
                    Authority.Standing.ACTIVE,
                    Optional.empty());
            Authorities.record(tx, "authority.installed", authority, actor, "certified by the operator's own root");
            return Installed.INSTALLED;
        });
        authorities.reload();
        return outcome;
    }

    private Installed check(List<X509Certificate> chain, String keyName, Instant now) {
        if (chain.size() < 2) {
            return Installed.CHAIN_BROKEN;
        }
        byte[] key = chain.getFirst().getPublicKey().getEncoded();
        if (!Arrays.equals(key, Issuance.der(authorities.certificates().key(keyName)))) {
            return Installed.KEY_DIFFERS;
        }
        for (int i = 0; i < chain.size(); i++) {
            X509Certificate one = chain.get(i);
            X509Certificate above = chain.get(Math.min(i + 1, chain.size() - 1));
            boolean @org.jspecify.annotations.Nullable [] usage = one.getKeyUsage();
            if (one.getBasicConstraints() < i || usage == null || !usage[5] || (i == 0 && !usage[6])) {
                return Installed.NOT_AN_AUTHORITY;
            }
            if (now.isBefore(one.getNotBefore().toInstant())
                    || now.isAfter(one.getNotAfter().toInstant())) {
                return Installed.NOT_VALID_NOW;
            }
            if (!one.getIssuerX500Principal().equals(above.getSubjectX500Principal()) || !signed(one, above)) {
                return Installed.CHAIN_BROKEN;
            }
        }
        return Installed.INSTALLED;
    }

    private static boolean signed(X509Certificate one, X509Certificate above) {
        try {
            return Crypto.verify(
                    above.getPublicKey(), one.getSigAlgName(), one.getTBSCertificate(), one.getSignature());
        } catch (CertificateEncodingException e) {
            return false;
        }
    }

    /// The new issuer's certificate with those above it, as [#install] wants them, from PEM text in that order.
    ///
    /// @throws dev.holdfast.protocol.x509.X509FormatException when the text holds no certificates
    public static List<X509Certificate> chain(String pem) throws dev.holdfast.protocol.x509.X509FormatException {
        return Certificates.parsePem(pem);
    }
}

package dev.holdfast.protocol.inspect;

import dev.holdfast.protocol.inspect.Inspected.Fact;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.oiw.OIWObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.operator.DefaultSignatureNameFinder;

/// A public key, and signatures, in words.
final class KeyReading {
    private static final Map<String, String> CURVES = Map.of(
            SECObjectIdentifiers.secp256r1.getId(), "P-256",
            SECObjectIdentifiers.secp384r1.getId(), "P-384",
            SECObjectIdentifiers.secp521r1.getId(), "P-521",
            SECObjectIdentifiers.secp256k1.getId(), "secp256k1",
            SECObjectIdentifiers.secp224r1.getId(), "P-224",
            SECObjectIdentifiers.secp192r1.getId(), "P-192");
    private static final Set<String> BROKEN = Set.of(
            PKCSObjectIdentifiers.md2WithRSAEncryption.getId(),
            PKCSObjectIdentifiers.md5WithRSAEncryption.getId(),
            PKCSObjectIdentifiers.sha1WithRSAEncryption.getId(),
            OIWObjectIdentifiers.sha1WithRSA.getId(),
            X9ObjectIdentifiers.ecdsa_with_SHA1.getId());

    private KeyReading() {}

    static void read(SubjectPublicKeyInfo info, List<Fact> facts, List<String> faults) throws IllegalStateException {
        Optional<PublicKey> key = key(info);
        KeyKind kind = key.map(KeyKind::of).orElse(KeyKind.OTHER);
        facts.add(new Fact("Key", words(info, kind, key)));
        facts.add(new Fact("Key's SHA-256", Certificates.keyFingerprint(der(info))));
        switch (kind) {
            case EC_P256, EC_P384, ED25519, RSA, ML_DSA_65 -> {}
            case RSA_WEAK ->
                faults.add(
                        "The key is weak: RSA keys have 3072 to 4096 bits, an exponent of at least 65537, and are not"
                                + " of a make that is known to be guessable.");
            case OTHER ->
                faults.add("Keys of this kind are not certified here: use P-256, P-384, Ed25519, RSA from 3072 bits or"
                        + " ML-DSA-65.");
        }
    }

    static Optional<PublicKey> key(SubjectPublicKeyInfo info) {
        Optional<String> algorithm = Crypto.algorithm(info.getAlgorithm());
        if (algorithm.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(Crypto.publicKey(algorithm.get(), der(info)));
        } catch (GeneralSecurityException e) {
            return Optional.empty();
        }
    }

    private static String words(SubjectPublicKeyInfo info, KeyKind kind, Optional<PublicKey> key) {
        return switch (kind) {
            case EC_P256 -> "elliptic curve P-256";
            case EC_P384 -> "elliptic curve P-384";
            case ED25519 -> "Ed25519";
            case ML_DSA_65 -> "ML-DSA-65, safe against quantum computers";
            case RSA, RSA_WEAK ->
                "RSA with "
                        + key.map(k -> ((RSAPublicKey) k).getModulus().bitLength())
                                .orElse(0) + " bits";
            case OTHER -> other(info);
        };
    }

    private static String other(SubjectPublicKeyInfo info) {
        if (info.getAlgorithm().getAlgorithm().equals(X9ObjectIdentifiers.id_ecPublicKey)) {
            String curve = String.valueOf(info.getAlgorithm().getParameters());
            return "elliptic curve " + CURVES.getOrDefault(curve, "of another kind (" + Phrases.safe(curve) + ")");
        }
        return "of another kind (" + info.getAlgorithm().getAlgorithm().getId() + ")";
    }

    /// Such as `SHA256WITHECDSA`; the identifier where it has no name.
    static String scheme(AlgorithmIdentifier algorithm) {
        String name = new DefaultSignatureNameFinder().getAlgorithmName(algorithm);
        return Phrases.safe(name.replace("WITH", " with "));
    }

    static boolean isBroken(AlgorithmIdentifier algorithm) {
        return BROKEN.contains(algorithm.getAlgorithm().getId());
    }

    private static byte[] der(SubjectPublicKeyInfo info) {
        try {
            return info.getEncoded(ASN1Encoding.DER);
        } catch (IOException e) {
            throw new IllegalStateException("a public key that can't be encoded", e);
        }
    }
}

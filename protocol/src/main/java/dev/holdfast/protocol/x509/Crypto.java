package dev.holdfast.protocol.x509;

import com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/// The one place that chooses who computes signatures: Amazon's native library, ten times as fast as the
/// platform's own elliptic curves, else BouncyCastle where that library can't be loaded.
///
/// Always named explicitly, never installed as the platform's default, which would disturb TLS.
public final class Crypto {
    private static final Provider PROVIDER = choose();

    private Crypto() {}

    private static Provider choose() {
        try {
            AmazonCorrettoCryptoProvider corretto = AmazonCorrettoCryptoProvider.INSTANCE;
            if (corretto.getLoadingError() == null && corretto.runSelfTests().equals(selfTestPassed())) {
                return corretto;
            }
        } catch (LinkageError | RuntimeException nativeLibraryMissing) {
            return new BouncyCastleProvider();
        }
        return new BouncyCastleProvider();
    }

    private static com.amazon.corretto.crypto.provider.SelfTestStatus selfTestPassed() {
        return com.amazon.corretto.crypto.provider.SelfTestStatus.PASSED;
    }

    public static Provider provider() {
        return PROVIDER;
    }

    /// The signature scheme for keys of this kind, as Java names it: `SHA256withECDSA` for P-256.
    public static String schemeFor(PublicKey key) throws InvalidKeyException {
        return switch (KeyKind.of(key)) {
            case EC_P256 -> "SHA256withECDSA";
            case EC_P384 -> "SHA384withECDSA";
            case RSA, RSA_WEAK -> "SHA256withRSA";
            case ED25519 -> "Ed25519";
            case ML_DSA_65 -> "ML-DSA-65";
            case OTHER -> throw new InvalidKeyException("keys of this kind are not used here");
        };
    }

    /// Whether the signature is right; false also when it is malformed.
    ///
    /// @param scheme as Java names it, such as `SHA256withECDSA`
    public static boolean verify(PublicKey key, String scheme, byte[] message, byte[] signature) {
        try {
            Signature verifier = signature(scheme);
            verifier.initVerify(key);
            verifier.update(message);
            return verifier.verify(signature);
        } catch (SignatureException | InvalidKeyException malformed) {
            return false;
        } catch (GeneralSecurityException unknownScheme) {
            return false;
        }
    }

    /// @throws IllegalStateException when the key can't sign so
    public static byte[] sign(PrivateKey key, String scheme, byte[] message) {
        try {
            Signature signer = signature(scheme);
            signer.initSign(key);
            signer.update(message);
            return signer.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("can't sign with " + scheme, e);
        }
    }

    /// A fresh P-256 key pair.
    public static KeyPair generateP256(SecureRandom random) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", PROVIDER);
            generator.initialize(new ECGenParameterSpec("secp256r1"), random);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this platform can't make P-256 keys", e);
        }
    }

    /// A fresh key pair of this kind; RSA with 3072 bits.
    ///
    /// @throws IllegalArgumentException when certificates are not issued for such keys
    public static KeyPair generate(KeyKind kind, SecureRandom random) {
        try {
            return switch (kind) {
                case EC_P256 -> generateP256(random);
                case EC_P384 -> {
                    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", PROVIDER);
                    generator.initialize(new ECGenParameterSpec("secp384r1"), random);
                    yield generator.generateKeyPair();
                }
                case RSA -> {
                    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA", PROVIDER);
                    generator.initialize(3_072, random);
                    yield generator.generateKeyPair();
                }
                case ED25519 -> KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
                case ML_DSA_65 -> KeyPairGenerator.getInstance("ML-DSA-65").generateKeyPair();
                case RSA_WEAK, OTHER -> throw new IllegalArgumentException("no keys of this kind are made: " + kind);
            };
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this platform can't make keys of the kind " + kind, e);
        }
    }

    /// ECDSA and RSA by our provider; Ed25519 and ML-DSA by the platform's.
    private static Signature signature(String scheme) throws GeneralSecurityException {
        return scheme.equals("Ed25519") || scheme.startsWith("ML-DSA")
                ? Signature.getInstance(scheme)
                : Signature.getInstance(scheme, PROVIDER);
    }

    private static KeyFactory factory(String algorithm) throws GeneralSecurityException {
        return algorithm.equals("EC") || algorithm.equals("RSA")
                ? KeyFactory.getInstance(algorithm, PROVIDER)
                : KeyFactory.getInstance(algorithm);
    }

    /// @param algorithm `EC`, `RSA`, `Ed25519` or `ML-DSA`
    public static PrivateKey privateKey(String algorithm, byte[] pkcs8) throws GeneralSecurityException {
        return factory(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    }

    /// @param algorithm `EC`, `RSA`, `Ed25519` or `ML-DSA`
    /// @param info SubjectPublicKeyInfo, DER
    public static PublicKey publicKey(String algorithm, byte[] info) throws GeneralSecurityException {
        return factory(algorithm).generatePublic(new X509EncodedKeySpec(info));
    }

    /// What [#publicKey(String, byte\[\])] calls the algorithm of this key; empty for one that is not used
    /// here.
    public static Optional<String> algorithm(AlgorithmIdentifier identifier) {
        ASN1ObjectIdentifier id = identifier.getAlgorithm();
        if (id.equals(X9ObjectIdentifiers.id_ecPublicKey)) {
            return Optional.of("EC");
        }
        if (id.equals(PKCSObjectIdentifiers.rsaEncryption)) {
            return Optional.of("RSA");
        }
        if (id.equals(EdECObjectIdentifiers.id_Ed25519)) {
            return Optional.of("Ed25519");
        }
        return id.equals(NISTObjectIdentifiers.id_ml_dsa_65) ? Optional.of("ML-DSA") : Optional.empty();
    }
}

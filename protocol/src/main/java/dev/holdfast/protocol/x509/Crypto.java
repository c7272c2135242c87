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
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/// The one place that chooses who computes signatures: Amazon's native library, ten times as fast as the platform's
/// own elliptic curves, else BouncyCastle where that library can't be loaded.
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
            case EC_P256, RSA, RSA_WEAK -> key.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
            case EC_P384 -> "SHA384withECDSA";
            case OTHER -> throw new InvalidKeyException("keys of this kind are not used here");
        };
    }

    /// Whether the signature is right; false also when it is malformed.
    ///
    /// @param scheme as Java names it, such as `SHA256withECDSA`
    public static boolean verify(PublicKey key, String scheme, byte[] message, byte[] signature) {
        try {
            Signature verifier = Signature.getInstance(scheme, PROVIDER);
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
            Signature signer = Signature.getInstance(scheme, PROVIDER);
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

    /// @param algorithm `EC` or `RSA`
    public static PrivateKey privateKey(String algorithm, byte[] pkcs8) throws GeneralSecurityException {
        return KeyFactory.getInstance(algorithm, PROVIDER).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    }

    /// @param algorithm `EC` or `RSA`
    /// @param info SubjectPublicKeyInfo, DER
    public static PublicKey publicKey(String algorithm, byte[] info) throws GeneralSecurityException {
        return KeyFactory.getInstance(algorithm, PROVIDER).generatePublic(new X509EncodedKeySpec(info));
    }
}

package dev.holdfast.protocol.pkcs8;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.EncryptedPrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.EncryptionScheme;
import org.bouncycastle.asn1.pkcs.KeyDerivationFunc;
import org.bouncycastle.asn1.pkcs.PBES2Parameters;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.crypto.generators.SCrypt;

/// Seals secrets under a passphrase as EncryptedPrivateKeyInfo (RFC 5958 section 3): PBES2 (RFC 8018 section
/// 6.2) with scrypt (RFC 7914) and AES-256 in GCM (RFC 5084), which also notices changes.
///
/// scrypt is slow on purpose, so what one passphrase seals shares one salt, and the derived key is kept: a
/// hundred files cost one derivation. Each seal has its own nonce.
public final class Pbes2 {
    private static final ASN1ObjectIdentifier SCRYPT = new ASN1ObjectIdentifier("1.3.6.1.4.1.11591.4.11");
    private static final int KEY = 32;
    private static final int NONCE = 12;
    private static final int TAG = 16;
    private static final int MOST_SALTS = 16;
    private static final int MOST_OCTETS = 64 * 1024;

    private final byte[] passphrase;
    private final SecureRandom random;
    private final Cost cost;
    private final Map<String, byte[]> derived = new ConcurrentHashMap<>();
    private byte[] salt = new byte[0];

    /// What one guess costs (RFC 7914 section 2): `128 * n * r` octets of memory, `p` times.
    public record Cost(int n, int r, int p) {
        /// 64 MiB, some tenths of a second.
        public static final Cost USUAL = new Cost(1 << 16, 8, 1);

        /// Less would be guessable, more would be an attack on whoever opens it.
        public Cost {
            boolean power = Integer.bitCount(n) == 1;
            if (!power || n < 1 << 14 || n > 1 << 20 || r < 8 || r > 16 || p < 1 || p > 4 || 128L * n * r > 1L << 28) {
                throw new IllegalArgumentException("scrypt: n is 2^14 to 2^20, r 8 to 16, p 1 to 4, 256 MiB at most");
            }
        }
    }

    /// @param passphrase kept as a copy
    public Pbes2(byte[] passphrase, Cost cost, SecureRandom random) {
        this.passphrase = passphrase.clone();
        this.cost = cost;
        this.random = random;
    }

    /// Says nothing about the passphrase.
    @Override
    public String toString() {
        return "Pbes2[" + cost + "]";
    }

    /// EncryptedPrivateKeyInfo, DER.
    public byte[] seal(byte[] secret) {
        byte[] nonce = new byte[NONCE];
        random.nextBytes(nonce);
        byte[] saltNow = salt();
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(Cipher.ENCRYPT_MODE, key(saltNow, cost), new GCMParameterSpec(TAG * 8, nonce));
            AlgorithmIdentifier scheme = new AlgorithmIdentifier(
                    PKCSObjectIdentifiers.id_PBES2,
                    new PBES2Parameters(
                            new KeyDerivationFunc(SCRYPT, scrypt(saltNow, cost)),
                            new EncryptionScheme(
                                    NISTObjectIdentifiers.id_aes256_GCM,
                                    new DERSequence(new org.bouncycastle.asn1.ASN1Encodable[] {
                                        new DEROctetString(nonce), new ASN1Integer(TAG)
                                    }))));
            return new EncryptedPrivateKeyInfo(scheme, cipher.doFinal(secret)).getEncoded(ASN1Encoding.DER);
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("this platform can't seal", e);
        }
    }

    private static DERSequence scrypt(byte[] salt, Cost cost) {
        return new DERSequence(new org.bouncycastle.asn1.ASN1Encodable[] {
            new DEROctetString(salt),
            new ASN1Integer(cost.n()),
            new ASN1Integer(cost.r()),
            new ASN1Integer(cost.p()),
            new ASN1Integer(KEY)
        });
    }

    /// 1. Strict DER of a bounded size. 2. The algorithms are these and no others, their cost within bounds,
    ///    before
    /// anything is derived. 3. The tag is right.
    public byte[] open(byte[] sealed) throws SealedFormatException {
        Parts parts = parse(sealed);
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(
                    Cipher.DECRYPT_MODE, key(parts.salt(), parts.cost()), new GCMParameterSpec(TAG * 8, parts.nonce()));
            byte[] secret = cipher.doFinal(parts.content());
            keepSalt(parts);
            return secret;
        } catch (AEADBadTagException e) {
            throw new SealedFormatException(
                    SealedFormatException.Reason.PASSPHRASE_WRONG, "the passphrase does not open it");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this platform can't open what is sealed", e);
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared, never leaves this class
    private record Parts(byte[] salt, Cost cost, byte[] nonce, byte[] content) {}

    private static Parts parse(byte[] sealed) throws SealedFormatException {
        if (sealed.length > MOST_OCTETS) {
            throw malformed("longer than " + MOST_OCTETS + " octets");
        }
        try {
            EncryptedPrivateKeyInfo info = EncryptedPrivateKeyInfo.getInstance(ASN1Primitive.fromByteArray(sealed));
            if (info == null) {
                throw malformed("nothing");
            }
            if (!Arrays.equals(info.getEncoded(ASN1Encoding.DER), sealed)) {
                throw malformed("not DER");
            }
            if (!info.getEncryptionAlgorithm().getAlgorithm().equals(PKCSObjectIdentifiers.id_PBES2)) {
                throw refused("not PBES2");
            }
            PBES2Parameters parameters =
                    PBES2Parameters.getInstance(info.getEncryptionAlgorithm().getParameters());
            KeyDerivationFunc kdf = parameters.getKeyDerivationFunc();
            EncryptionScheme scheme = parameters.getEncryptionScheme();
            if (!kdf.getAlgorithm().equals(SCRYPT)
                    || !scheme.getAlgorithm().equals(NISTObjectIdentifiers.id_aes256_GCM)) {
                throw refused("not scrypt with AES-256-GCM");
            }
            ASN1Sequence derivation = ASN1Sequence.getInstance(kdf.getParameters());
            ASN1Sequence gcm = ASN1Sequence.getInstance(scheme.getParameters());
            byte[] salt = octets(derivation, 0);
            byte[] nonce = octets(gcm, 0);
            if (derivation.size() < 4
                    || derivation.size() > 5
                    || (derivation.size() == 5 && number(derivation, 4) != KEY)
                    || salt.length < 8
                    || salt.length > 64
                    || gcm.size() != 2
                    || number(gcm, 1) != TAG
                    || nonce.length != NONCE) {
                throw refused("parameters that are not used here");
            }
            return new Parts(
                    salt,
                    new Cost(number(derivation, 1), number(derivation, 2), number(derivation, 3)),
                    nonce,
                    info.getEncryptedData());
        } catch (IOException | IllegalArgumentException | ArithmeticException | ArrayIndexOutOfBoundsException e) {
            throw malformed(String.valueOf(e.getMessage()));
        }
    }

    private static byte[] octets(ASN1Sequence of, int index) {
        return ASN1OctetString.getInstance(of.getObjectAt(index)).getOctets();
    }

    private static int number(ASN1Sequence of, int index) {
        return ASN1Integer.getInstance(of.getObjectAt(index)).intValueExact();
    }

    private static SealedFormatException malformed(String what) {
        return new SealedFormatException(SealedFormatException.Reason.MALFORMED, "not an encrypted secret: " + what);
    }

    private static SealedFormatException refused(String what) {
        return new SealedFormatException(
                SealedFormatException.Reason.ALGORITHM_NOT_ACCEPTED, "encrypted in another way: " + what);
    }

    private synchronized byte[] salt() {
        if (salt.length == 0) {
            salt = new byte[16];
            random.nextBytes(salt);
        }
        return salt;
    }

    /// New seals share the salt of what was opened before, so that they share its derived key too.
    private synchronized void keepSalt(Parts opened) {
        if (salt.length == 0 && opened.cost().equals(cost)) {
            salt = opened.salt();
        }
    }

    private SecretKeySpec key(byte[] saltOf, Cost costOf) {
        if (derived.size() > MOST_SALTS) {
            derived.clear();
        }
        byte[] key = derived.computeIfAbsent(
                HexFormat.of().formatHex(saltOf) + costOf,
                _ -> SCrypt.generate(passphrase, saltOf, costOf.n(), costOf.r(), costOf.p(), KEY));
        return new SecretKeySpec(key, "AES");
    }
}

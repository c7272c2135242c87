package dev.holdfast.testkit;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.Mac;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;

/// What a TPM sends, made by hand from the TCG's pages, so that it can also be made wrong: keys with
/// attributes that a real TPM refuses, attestations with another magic. Written apart from `protocol.tpm`,
/// which it checks.
public final class SoftTpm {
    public static final int FIXED_TPM = 1 << 1;
    public static final int FIXED_PARENT = 1 << 4;
    public static final int ORIGIN = 1 << 5;
    public static final int USER_AUTH = 1 << 6;
    public static final int RESTRICTED = 1 << 16;
    public static final int DECRYPT = 1 << 17;
    public static final int SIGN = 1 << 18;
    public static final int BOUND = FIXED_TPM | FIXED_PARENT | ORIGIN | USER_AUTH;
    public static final int EK = BOUND | RESTRICTED | DECRYPT;
    public static final int AK = BOUND | RESTRICTED | SIGN;
    public static final int DEVICE = BOUND | SIGN;
    public static final int GENERATED = 0xff544347;
    public static final int CERTIFY = 0x8017;
    public static final int QUOTE = 0x8018;
    private static final int NULL = 0x0010;
    private static final int SHA256 = 0x000b;

    private SoftTpm() {}

    /// @param area TPMT_PUBLIC
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record TpmKey(KeyPair pair, byte[] area) {
        /// TPM2B_PUBLIC
        public byte[] sized() {
            return new Octets().sized(area).bytes();
        }

        public byte[] name() {
            return new Octets().u16(SHA256).octets(sha256(area)).bytes();
        }
    }

    /// Big-endian numbers and TPM2B buffers.
    public static final class Octets {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        public Octets u8(int value) {
            out.write(value);
            return this;
        }

        public Octets u16(int value) {
            return u8(value >>> 8).u8(value);
        }

        public Octets u32(long value) {
            return u16((int) (value >>> 16)).u16((int) value);
        }

        public Octets u64(long value) {
            return u32(value >>> 32).u32(value);
        }

        public Octets octets(byte[] octets) {
            out.writeBytes(octets);
            return this;
        }

        public Octets sized(byte[] octets) {
            return u16(octets.length).octets(octets);
        }

        public byte[] bytes() {
            return out.toByteArray();
        }
    }

    /// A P-256 key; one that decrypts and is restricted has AES-128-CFB, one that signs and is restricted
    /// has ECDSA.
    public static TpmKey ec(int attributes) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            KeyPair pair = generator.generateKeyPair();
            ECPoint point = ((ECPublicKey) pair.getPublic()).getW();
            Octets area = start(0x0023, attributes);
            return new TpmKey(
                    pair,
                    scheme(area, attributes, 0x0018)
                            .u16(0x0003)
                            .u16(NULL)
                            .sized(padded(point.getAffineX()))
                            .sized(padded(point.getAffineY()))
                            .bytes());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /// An RSA-2048 key, as [#ec]; one that signs and is restricted has RSASSA.
    public static TpmKey rsa(int attributes) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(2_048);
            KeyPair pair = generator.generateKeyPair();
            byte[] modulus = ((RSAPublicKey) pair.getPublic()).getModulus().toByteArray();
            Octets area = start(0x0001, attributes);
            return new TpmKey(
                    pair,
                    scheme(area, attributes, 0x0014)
                            .u16(2_048)
                            .u32(0)
                            .sized(Arrays.copyOfRange(modulus, 1, modulus.length))
                            .bytes());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Octets start(int type, int attributes) {
        return new Octets().u16(type).u16(SHA256).u32(attributes).sized(new byte[0]);
    }

    private static Octets scheme(Octets area, int attributes, int signature) {
        if ((attributes & RESTRICTED) != 0 && (attributes & DECRYPT) != 0) {
            return area.u16(0x0006).u16(128).u16(0x0043).u16(NULL);
        }
        area.u16(NULL);
        return (attributes & SIGN) != 0 ? area.u16(signature).u16(SHA256) : area.u16(NULL);
    }

    /// How a TPM has been used, as each attestation says.
    public record Life(long clock, long resets, long restarts, long firmware) {
        public static final Life FIRST = new Life(1_000, 1, 0, 0x2019_1023_0016_3636L);
    }

    /// TPMS_ATTEST.
    ///
    /// @param about what comes after the firmware's version
    public static byte[] attest(int magic, int type, byte[] signer, byte[] extra, Life life, byte[] about) {
        return new Octets()
                .u32(magic)
                .u16(type)
                .sized(signer)
                .sized(extra)
                .u64(life.clock())
                .u32(life.resets())
                .u32(life.restarts())
                .u8(1)
                .u64(life.firmware())
                .octets(about)
                .bytes();
    }

    public static byte[] certify(TpmKey signer, TpmKey key, byte[] extra, Life life) {
        return attest(GENERATED, CERTIFY, signer.name(), extra, life, named(key));
    }

    /// TPMS_CERTIFY_INFO.
    public static byte[] named(TpmKey key) {
        return new Octets().sized(key.name()).sized(key.name()).bytes();
    }

    public static byte[] quote(TpmKey signer, Collection<Integer> registers, byte[] values, byte[] extra, Life life) {
        return attest(GENERATED, QUOTE, signer.name(), extra, life, quoted(registers, values));
    }

    /// TPMS_QUOTE_INFO of the SHA-256 bank.
    ///
    /// @param values one after another
    public static byte[] quoted(Collection<Integer> registers, byte[] values) {
        byte[] bits = new byte[3];
        registers.forEach(register -> bits[register / 8] |= (byte) (1 << (register % 8)));
        return new Octets()
                .u32(1)
                .u16(SHA256)
                .u8(3)
                .octets(bits)
                .sized(sha256(values))
                .bytes();
    }

    /// TPMT_SIGNATURE with SHA-256.
    public static byte[] sign(TpmKey key, byte[] message) {
        try {
            if (key.pair().getPublic() instanceof RSAPublicKey) {
                return new Octets()
                        .u16(0x0014)
                        .u16(SHA256)
                        .sized(signature("SHA256withRSA", key.pair().getPrivate(), message))
                        .bytes();
            }
            byte[] plain = signature("SHA256withECDSAinP1363Format", key.pair().getPrivate(), message);
            return new Octets()
                    .u16(0x0018)
                    .u16(SHA256)
                    .sized(Arrays.copyOf(plain, 32))
                    .sized(Arrays.copyOfRange(plain, 32, 64))
                    .bytes();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] signature(String scheme, PrivateKey key, byte[] message) throws GeneralSecurityException {
        Signature signer = Signature.getInstance(scheme);
        signer.initSign(key);
        signer.update(message);
        return signer.sign();
    }

    /// TPM2_ActivateCredential: the value, for the key of this name only.
    ///
    /// @throws IllegalStateException when the credential is for another endorsement key or another name
    public static byte[] activate(TpmKey endorsement, byte[] name, byte[] blob, byte[] secret) {
        try {
            byte[] seed = seed(endorsement.pair(), Arrays.copyOfRange(secret, 2, secret.length));
            int size = ((blob[2] & 0xff) << 8) | (blob[3] & 0xff);
            byte[] integrity = Arrays.copyOfRange(blob, 4, 4 + size);
            byte[] encrypted = Arrays.copyOfRange(blob, 4 + size, blob.length);
            byte[] mac = hmac(kdfa(seed, "INTEGRITY", new byte[0], 256), encrypted, name);
            if (!MessageDigest.isEqual(mac, integrity)) {
                throw new IllegalStateException("TPM_RC_INTEGRITY");
            }
            Cipher cipher = Cipher.getInstance("AES/CFB/NoPadding");
            cipher.init(
                    Cipher.DECRYPT_MODE,
                    new SecretKeySpec(kdfa(seed, "STORAGE", name, 128), "AES"),
                    new IvParameterSpec(new byte[16]));
            byte[] plain = cipher.doFinal(encrypted);
            return Arrays.copyOfRange(plain, 2, 2 + (((plain[0] & 0xff) << 8) | (plain[1] & 0xff)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("TPM_RC_VALUE", e);
        }
    }

    private static byte[] seed(KeyPair pair, byte[] secret) throws GeneralSecurityException {
        PublicKey own = pair.getPublic();
        byte[] label = "IDENTITY\0".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        if (own instanceof RSAPublicKey) {
            Cipher oaep = Cipher.getInstance("RSA/ECB/OAEPPadding");
            oaep.init(
                    Cipher.DECRYPT_MODE,
                    pair.getPrivate(),
                    new OAEPParameterSpec(
                            "SHA-256",
                            "MGF1",
                            java.security.spec.MGF1ParameterSpec.SHA256,
                            new PSource.PSpecified(label)));
            return oaep.doFinal(secret);
        }
        byte[] x = Arrays.copyOfRange(secret, 2, 34);
        byte[] y = Arrays.copyOfRange(secret, 36, 68);
        ECPublicKey ec = (ECPublicKey) own;
        KeyAgreement agreement = KeyAgreement.getInstance("ECDH");
        agreement.init(pair.getPrivate());
        agreement.doPhase(
                KeyFactory.getInstance("EC")
                        .generatePublic(new ECPublicKeySpec(
                                new ECPoint(new BigInteger(1, x), new BigInteger(1, y)), ec.getParams())),
                true);
        return sha256(new Octets()
                .u32(1)
                .octets(agreement.generateSecret())
                .octets(label)
                .octets(x)
                .octets(padded(ec.getW().getAffineX()))
                .bytes());
    }

    private static byte[] kdfa(byte[] key, String label, byte[] context, int bits) throws GeneralSecurityException {
        byte[] whole = hmac(
                key,
                new Octets()
                        .u32(1)
                        .octets((label + "\0").getBytes(java.nio.charset.StandardCharsets.US_ASCII))
                        .octets(context)
                        .u32(bits)
                        .bytes());
        return Arrays.copyOf(whole, bits / 8);
    }

    private static byte[] hmac(byte[] key, byte[]... parts) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        List.of(parts).forEach(mac::update);
        return mac.doFinal();
    }

    private static byte[] padded(BigInteger number) {
        byte[] plain = number.toByteArray();
        byte[] padded = new byte[32];
        int length = Math.min(plain.length, 32);
        System.arraycopy(plain, plain.length - length, padded, 32 - length, length);
        return padded;
    }

    public static byte[] sha256(byte[] message) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(message);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}

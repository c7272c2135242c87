package dev.holdfast.protocol.tpm;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.Mac;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;

/// A credential that only one TPM can open, and only while it holds a key with a certain name
/// (TPM2_MakeCredential, part 1 section 24): who sends back the secret has shown that both keys are in the
/// same TPM.
///
/// @param blob TPM2B_ID_OBJECT
/// @param secret TPM2B_ENCRYPTED_SECRET
@SuppressWarnings("ArrayRecordComponent") // never compared
public record TpmCredential(byte[] blob, byte[] secret) {
    private static final byte[] IDENTITY = {'I', 'D', 'E', 'N', 'T', 'I', 'T', 'Y', 0};

    /// @param endorsement a key without [TpmKeyFault#ofEndorsementKey faults]
    /// @param name of the key that must be beside it, hexadecimal
    /// @param value the secret, at most as long as the name algorithm's digest
    /// @throws IllegalArgumentException when the endorsement key can't protect a credential
    public static TpmCredential make(TpmPublic endorsement, String name, byte[] value, SecureRandom random) {
        TpmHash hash = endorsement.nameAlgorithm();
        int bits = endorsement
                .symmetricBits()
                .orElseThrow(() -> new IllegalArgumentException("the endorsement key has no symmetric key"));
        if (value.length == 0 || value.length > hash.octets()) {
            throw new IllegalArgumentException("a credential of " + value.length + " octets");
        }
        try {
            // 1. A seed that the endorsement key's owner can find (appendices B.10.3 and C.6.3).
            Seed seed = seed(endorsement, hash, random);
            // 2. The value, encrypted for this name (section 24.4).
            byte[] subject = HexFormat.of().parseHex(name);
            byte[] key = kdfa(hash, seed.value(), "STORAGE", subject, bits);
            Cipher cipher = Cipher.getInstance("AES/CFB/NoPadding");
            cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(new byte[16]));
            byte[] encrypted = cipher.doFinal(new TpmWriter().sized(value).bytes());
            // 3. Its integrity (section 24.5).
            byte[] integrity = hmac(
                    hash, kdfa(hash, seed.value(), "INTEGRITY", new byte[0], hash.octets() * 8), encrypted, subject);
            byte[] object = new TpmWriter().sized(integrity).octets(encrypted).bytes();
            return new TpmCredential(
                    new TpmWriter().sized(object).bytes(),
                    new TpmWriter().sized(seed.encrypted()).bytes());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java platform can't make a TPM credential", e);
        }
    }

    private record Seed(byte[] value, byte[] encrypted) {}

    private static Seed seed(TpmPublic endorsement, TpmHash hash, SecureRandom random) throws GeneralSecurityException {
        PublicKey key = endorsement.key();
        return switch (key) {
            case RSAPublicKey rsa -> {
                byte[] seed = new byte[hash.octets()];
                random.nextBytes(seed);
                Cipher oaep = Cipher.getInstance("RSA/ECB/OAEPPadding");
                oaep.init(
                        Cipher.ENCRYPT_MODE,
                        rsa,
                        new OAEPParameterSpec(
                                hash.javaName(),
                                "MGF1",
                                new java.security.spec.MGF1ParameterSpec(hash.javaName()),
                                new PSource.PSpecified(IDENTITY)),
                        random);
                yield new Seed(seed, oaep.doFinal(seed));
            }
            case ECPublicKey ec -> agree(ec, hash, random);
            default -> throw new IllegalArgumentException("not an RSA or elliptic-curve key");
        };
    }

    /// One pass of ECDH with an ephemeral key, and KDFe (section 11.4.10.3).
    private static Seed agree(ECPublicKey key, TpmHash hash, SecureRandom random) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(key.getParams(), random);
        KeyPair ephemeral = generator.generateKeyPair();
        KeyAgreement agreement = KeyAgreement.getInstance("ECDH");
        agreement.init(ephemeral.getPrivate());
        agreement.doPhase(key, true);
        byte[] shared = agreement.generateSecret();
        int octets = (key.getParams().getCurve().getField().getFieldSize() + 7) / 8;
        ECPublicKey mine = (ECPublicKey) ephemeral.getPublic();
        byte[] x = padded(mine.getW().getAffineX(), octets);
        byte[] y = padded(mine.getW().getAffineY(), octets);
        byte[] seed = hash.digest(
                new byte[] {0, 0, 0, 1}, shared, IDENTITY, x, padded(key.getW().getAffineX(), octets));
        return new Seed(seed, new TpmWriter().sized(x).sized(y).bytes());
    }

    private static byte[] padded(BigInteger number, int octets) {
        byte[] plain = number.toByteArray();
        byte[] padded = new byte[octets];
        int length = Math.min(plain.length, octets);
        System.arraycopy(plain, plain.length - length, padded, octets - length, length);
        return padded;
    }

    /// KDFa (section 11.4.10.2): SP 800-108 in counter mode with HMAC; the label ends with a zero octet.
    private static byte[] kdfa(TpmHash hash, byte[] key, String label, byte[] context, int bits)
            throws GeneralSecurityException {
        TpmWriter out = new TpmWriter();
        int octets = bits / 8;
        for (int counter = 1; (counter - 1) * hash.octets() < octets; counter++) {
            out.octets(hmac(
                    hash,
                    key,
                    new TpmWriter()
                            .u32(counter)
                            .octets(label.getBytes(java.nio.charset.StandardCharsets.US_ASCII))
                            .u8(0)
                            .octets(context)
                            .u32(bits)
                            .bytes()));
        }
        return Arrays.copyOf(out.bytes(), octets);
    }

    private static byte[] hmac(TpmHash hash, byte[] key, byte[]... parts) throws GeneralSecurityException {
        String name = "HmacSHA" + hash.octets() * 8;
        Mac mac = Mac.getInstance(name);
        mac.init(new SecretKeySpec(key, name));
        for (byte[] part : parts) {
            mac.update(part);
        }
        return mac.doFinal();
    }
}

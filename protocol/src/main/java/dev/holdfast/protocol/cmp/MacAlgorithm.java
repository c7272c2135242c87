package dev.holdfast.protocol.cmp;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.cmp.CMPObjectIdentifiers;
import org.bouncycastle.asn1.cmp.PBMParameter;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PBKDF2Params;
import org.bouncycastle.asn1.pkcs.PBMAC1Params;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.digests.SHA384Digest;
import org.bouncycastle.crypto.digests.SHA512Digest;
import org.bouncycastle.crypto.generators.PKCS5S2ParametersGenerator;
import org.bouncycastle.crypto.params.KeyParameter;

/// How a message authentication code comes from a shared secret. The peer chooses the number of iterations,
/// so it is bounded both ways: too few would make its code searchable, too many would make us work for it.
public sealed interface MacAlgorithm {
    /// As many as RFC 9045 section 4 would have from a generous server, and more.
    int MOST_ITERATIONS = 100_000;

    /// The hash functions that count.
    enum Hash {
        SHA256("SHA-256", "HmacSHA256", 32),
        SHA384("SHA-384", "HmacSHA384", 48),
        SHA512("SHA-512", "HmacSHA512", 64);

        private final String digest;
        private final String mac;
        private final int octets;

        Hash(String digest, String mac, int octets) {
            this.digest = digest;
            this.mac = mac;
            this.octets = octets;
        }

        private Digest engine() {
            return switch (this) {
                case SHA256 -> new SHA256Digest();
                case SHA384 -> new SHA384Digest();
                case SHA512 -> new SHA512Digest();
            };
        }

        static Hash ofDigest(AlgorithmIdentifier algorithm) throws CmpException {
            ASN1ObjectIdentifier id = algorithm.getAlgorithm();
            return id.equals(NISTObjectIdentifiers.id_sha256)
                    ? SHA256
                    : id.equals(NISTObjectIdentifiers.id_sha384)
                            ? SHA384
                            : id.equals(NISTObjectIdentifiers.id_sha512) ? SHA512 : none();
        }

        static Hash ofMac(AlgorithmIdentifier algorithm) throws CmpException {
            ASN1ObjectIdentifier id = algorithm.getAlgorithm();
            return id.equals(PKCSObjectIdentifiers.id_hmacWithSHA256)
                    ? SHA256
                    : id.equals(PKCSObjectIdentifiers.id_hmacWithSHA384)
                            ? SHA384
                            : id.equals(PKCSObjectIdentifiers.id_hmacWithSHA512) ? SHA512 : none();
        }

        private static Hash none() throws CmpException {
            throw new CmpException(
                    CmpFailure.BAD_ALG,
                    "message authentication uses SHA-256, SHA-384 or SHA-512 (openssl cmp: -mac hmacWithSHA256)");
        }
    }

    /// PasswordBasedMac (RFC 9810 section 5.1.3.1, RFC 9481 section 6.1.1): the secret with the salt, hashed
    /// again and again, is the key.
    record PasswordBased(ASN1OctetString salt, Hash owf, int iterations, Hash mac, AlgorithmIdentifier identifier)
            implements MacAlgorithm {
        /// RFC 4211 section 4.4.
        static final int FEWEST = 100;
    }

    /// PBMAC1 (RFC 9481 section 6.1.2, RFC 8018 section 7.1) with PBKDF2.
    record Pbmac1(
            ASN1OctetString salt, Hash prf, int iterations, int keyOctets, Hash mac, AlgorithmIdentifier identifier)
            implements MacAlgorithm {
        /// RFC 8018 section 4.2.
        static final int FEWEST = 1_000;
    }

    /// As it stands in the header.
    AlgorithmIdentifier identifier();

    /// Whether this is the identifier of a code by shared secret, known here or not.
    static boolean isMac(AlgorithmIdentifier algorithm) {
        ASN1ObjectIdentifier id = algorithm.getAlgorithm();
        return id.equals(CMPObjectIdentifiers.passwordBasedMac)
                || id.equals(PKCSObjectIdentifiers.id_PBMAC1)
                || id.equals(CMPObjectIdentifiers.dhBasedMac)
                || id.equals(CMPObjectIdentifiers.kemBasedMac);
    }

    /// @throws CmpException when it is not one of the two, or with parameters that are not accepted
    static MacAlgorithm of(AlgorithmIdentifier algorithm) throws CmpException {
        try {
            if (algorithm.getAlgorithm().equals(CMPObjectIdentifiers.passwordBasedMac)) {
                PBMParameter parameters = PBMParameter.getInstance(algorithm.getParameters());
                return new PasswordBased(
                        salt(parameters.getSalt().getOctets()),
                        Hash.ofDigest(parameters.getOwf()),
                        iterations(parameters.getIterationCount().getValue(), PasswordBased.FEWEST),
                        Hash.ofMac(parameters.getMac()),
                        algorithm);
            }
            if (algorithm.getAlgorithm().equals(PKCSObjectIdentifiers.id_PBMAC1)) {
                return pbmac1(algorithm);
            }
        } catch (RuntimeException e) {
            throw new CmpException(CmpFailure.BAD_ALG, "the parameters of the protection can't be read", e);
        }
        throw new CmpException(
                CmpFailure.BAD_ALG, "a shared secret protects by PasswordBasedMac or by PBMAC1 with PBKDF2");
    }

    private static MacAlgorithm pbmac1(AlgorithmIdentifier algorithm) throws CmpException {
        PBMAC1Params parameters = PBMAC1Params.getInstance(algorithm.getParameters());
        if (!parameters.getKeyDerivationFunc().getAlgorithm().equals(PKCSObjectIdentifiers.id_PBKDF2)) {
            throw new CmpException(CmpFailure.BAD_ALG, "PBMAC1 derives its key by PBKDF2");
        }
        PBKDF2Params derivation =
                PBKDF2Params.getInstance(parameters.getKeyDerivationFunc().getParameters());
        Hash mac = Hash.ofMac(parameters.getMessageAuthScheme());
        BigInteger length = derivation.getKeyLength();
        if (length != null && (length.bitLength() > 15 || length.intValue() < 16 || length.intValue() > 64)) {
            throw new CmpException(CmpFailure.BAD_ALG, "PBMAC1's key has 16 to 64 octets");
        }
        return new Pbmac1(
                salt(derivation.getSalt()),
                Hash.ofMac(derivation.getPrf()),
                iterations(derivation.getIterationCount(), Pbmac1.FEWEST),
                length == null ? mac.octets : length.intValue(),
                mac,
                algorithm);
    }

    private static ASN1OctetString salt(byte[] salt) throws CmpException {
        if (salt.length < 8 || salt.length > 128) {
            throw new CmpException(CmpFailure.BAD_ALG, "the salt has 8 to 128 octets");
        }
        return new DEROctetString(salt);
    }

    private static int iterations(BigInteger count, int fewest) throws CmpException {
        if (count.bitLength() > 31 || count.intValue() < fewest || count.intValue() > MOST_ITERATIONS) {
            throw new CmpException(CmpFailure.BAD_ALG, "the iteration count is " + fewest + " to " + MOST_ITERATIONS);
        }
        return count.intValue();
    }

    /// The same algorithm with the same costs and another salt: what an answer is protected by.
    default MacAlgorithm salted(byte[] salt) {
        ASN1OctetString fresh = new DEROctetString(salt);
        return switch (this) {
            case PasswordBased by -> {
                PBMParameter old = PBMParameter.getInstance(by.identifier().getParameters());
                yield new PasswordBased(
                        fresh,
                        by.owf(),
                        by.iterations(),
                        by.mac(),
                        new AlgorithmIdentifier(
                                by.identifier().getAlgorithm(),
                                new PBMParameter(salt, old.getOwf(), by.iterations(), old.getMac())));
            }
            case Pbmac1 by -> pbmac1(fresh, by.prf(), by.iterations(), by.keyOctets(), by.mac());
        };
    }

    /// PBMAC1 as we would choose it.
    static MacAlgorithm pbmac1(ASN1OctetString salt, Hash prf, int iterations, int keyOctets, Hash mac) {
        PBKDF2Params derivation = new PBKDF2Params(salt.getOctets(), iterations, keyOctets, hmac(prf));
        return new Pbmac1(
                salt,
                prf,
                iterations,
                keyOctets,
                mac,
                new AlgorithmIdentifier(
                        PKCSObjectIdentifiers.id_PBMAC1,
                        new PBMAC1Params(
                                new AlgorithmIdentifier(PKCSObjectIdentifiers.id_PBKDF2, derivation), hmac(mac))));
    }

    private static AlgorithmIdentifier hmac(Hash hash) {
        return new AlgorithmIdentifier(
                switch (hash) {
                    case SHA256 -> PKCSObjectIdentifiers.id_hmacWithSHA256;
                    case SHA384 -> PKCSObjectIdentifiers.id_hmacWithSHA384;
                    case SHA512 -> PKCSObjectIdentifiers.id_hmacWithSHA512;
                },
                DERNull.INSTANCE);
    }

    /// The code over this message.
    default byte[] code(byte[] secret, byte[] message) {
        try {
            byte[] key;
            Hash hash;
            switch (this) {
                case PasswordBased by -> {
                    hash = by.mac();
                    MessageDigest owf = MessageDigest.getInstance(by.owf().digest);
                    owf.update(secret);
                    key = owf.digest(by.salt().getOctets());
                    for (int i = 1; i < by.iterations(); i++) {
                        key = owf.digest(key);
                    }
                }
                case Pbmac1 by -> {
                    hash = by.mac();
                    PKCS5S2ParametersGenerator generator =
                            new PKCS5S2ParametersGenerator(by.prf().engine());
                    generator.init(secret, by.salt().getOctets(), by.iterations());
                    key = ((KeyParameter) generator.generateDerivedMacParameters(8 * by.keyOctets())).getKey();
                }
            }
            Mac mac = Mac.getInstance(hash.mac);
            mac.init(new SecretKeySpec(key, hash.mac));
            return mac.doFinal(message);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java platform lacks SHA-2", e);
        }
    }

    /// Whether the code is right; compared in constant time.
    default boolean verify(byte[] secret, byte[] message, byte[] code) {
        return MessageDigest.isEqual(code(secret, message), code);
    }
}

package dev.holdfast.protocol.x509;

import java.math.BigInteger;
import java.util.BitSet;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// Keys that are known to be guessable, by what can be seen of the public key alone.
final class KnownWeakKeys {
    /// The product of the odd primes below 752: a modulus that shares a factor with it was not made of two
    /// large primes.
    private static final BigInteger SMALL_PRIMES = product();

    /// The primes whose residues give keys of CVE-2017-15361 (ROCA) away: such moduli are powers of 65537
    /// modulo each.
    private static final int[] ROCA_PRIMES = {
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
        113, 127, 131, 137, 139, 149, 151, 157, 163, 167
    };

    private static final int FERMAT_STEPS = 100;

    /// What squares leave modulo this, which is two numbers of a hundred: a root is drawn of those alone.
    private static final BigInteger SIEVE = BigInteger.valueOf(16 * 9 * 5 * 7 * 11);

    private static final BitSet SQUARES = squares();
    private static final BigInteger P25519 = BigInteger.TWO.pow(255).subtract(BigInteger.valueOf(19));

    /// The y of the points of order 8 on edwards25519; the other is its negative.
    private static final BigInteger ORDER_8 =
            new BigInteger("7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7", 16);

    private KnownWeakKeys() {}

    static boolean hasSmallFactor(BigInteger modulus) {
        return !modulus.gcd(SMALL_PRIMES).equals(BigInteger.ONE);
    }

    /// CVE-2017-15361: primes were of the form k * M + (65537^a mod M), so the modulus is in the subgroup
    /// that 65537 generates modulo every small prime. A modulus of another make passes as such with a chance
    /// below 2^-27.
    static boolean looksLikeRoca(BigInteger modulus) {
        for (int prime : ROCA_PRIMES) {
            int residue = modulus.mod(BigInteger.valueOf(prime)).intValue();
            if (!isPowerOfF4(residue, prime)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isPowerOfF4(int residue, int prime) {
        int generator = 65_537 % prime;
        int power = 1;
        do {
            if (power == residue) {
                return true;
            }
            power = power * generator % prime;
        } while (power != 1);
        return false;
    }

    /// CVE-2022-26320: two primes so near each other that Fermat's factorisation finds them at once.
    static boolean hasCloseFactors(BigInteger modulus) {
        BigInteger a = modulus.sqrt();
        if (a.multiply(a).equals(modulus)) {
            return true;
        }
        for (int step = 0; step < FERMAT_STEPS; step++) {
            a = a.add(BigInteger.ONE);
            BigInteger rest = a.multiply(a).subtract(modulus);
            if (SQUARES.get(rest.mod(SIEVE).intValue()) && rest.sqrtAndRemainder()[1].signum() == 0) {
                return true;
            }
        }
        return false;
    }

    /// Whether it is an Ed25519 key that anybody can sign for: a point of order 1, 2, 4 or 8, or one whose
    /// coordinate is not below the prime (RFC 8032 section 5.1.3), which has a second name.
    static boolean isOfSmallOrder(SubjectPublicKeyInfo info) {
        if (!info.getAlgorithm().getAlgorithm().equals(EdECObjectIdentifiers.id_Ed25519)) {
            return false;
        }
        byte[] y = info.getPublicKeyData().getOctets();
        if (y.length != 32) {
            return true;
        }
        byte[] bigEndian = new byte[32];
        for (int i = 0; i < 32; i++) {
            bigEndian[i] = i == 0 ? (byte) (y[31] & 0x7f) : y[31 - i];
        }
        BigInteger coordinate = new BigInteger(1, bigEndian);
        return coordinate.compareTo(P25519) >= 0
                || coordinate.compareTo(BigInteger.ONE) <= 0
                || coordinate.equals(P25519.subtract(BigInteger.ONE))
                || coordinate.equals(ORDER_8)
                || coordinate.equals(P25519.subtract(ORDER_8));
    }

    private static BitSet squares() {
        long sieve = SIEVE.longValueExact();
        BitSet squares = new BitSet();
        for (long root = 0; root < sieve; root++) {
            squares.set((int) (root * root % sieve));
        }
        return squares;
    }

    private static BigInteger product() {
        BigInteger product = BigInteger.ONE;
        BigInteger prime = BigInteger.valueOf(3);
        while (prime.intValue() < 752) {
            product = product.multiply(prime);
            prime = prime.nextProbablePrime();
        }
        return product;
    }
}

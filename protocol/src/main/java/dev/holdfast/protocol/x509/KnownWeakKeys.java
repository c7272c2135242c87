package dev.holdfast.protocol.x509;

import java.math.BigInteger;

/// RSA moduli that are known to be guessable, by what can be seen of the modulus alone.
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

    private KnownWeakKeys() {}

    static boolean hasSmallFactor(BigInteger modulus) {
        return !modulus.gcd(SMALL_PRIMES).equals(BigInteger.ONE);
    }

    /// CVE-2017-15361: primes were of the form k * M + (65537^a mod M), so the modulus is in the subgroup that
    /// 65537 generates modulo every small prime. A modulus of another make passes as such with a chance below
    /// 2^-27.
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

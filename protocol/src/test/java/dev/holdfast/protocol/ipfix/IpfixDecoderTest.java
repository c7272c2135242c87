package dev.holdfast.protocol.ipfix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The fixtures are what softflowd 1.1.0 (Debian) sent for one capture of a TCP connection and two UDP datagrams.
class IpfixDecoderTest {
    private static final Instant BEGIN = Instant.parse("2026-03-02T06:00:00Z");

    private static List<byte[]> recorded(String name) {
        try (InputStream in = IpfixDecoderTest.class.getResourceAsStream("/ipfix/softflowd-" + name + ".hex")) {
            return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .map(HexFormat.of()::parseHex)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<FlowRecord> decode(String name) throws MalformedIpfixException {
        IpfixDecoder decoder = new IpfixDecoder();
        List<FlowRecord> flows = new ArrayList<>();
        for (byte[] message : recorded(name)) {
            flows.addAll(decoder.decode(message));
        }
        return flows;
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "milli", "nano"})
    void readsWhatSoftflowdSends(String name) throws Exception {
        List<FlowRecord> flows = decode(name);
        assertThat(flows).hasSize(4);
        FlowRecord up = flows.stream()
                .filter(f -> f.destinationPort() == 443)
                .findFirst()
                .orElseThrow();
        assertThat(up.source().getHostAddress()).isEqualTo("10.77.0.2");
        assertThat(up.destination().getHostAddress()).isEqualTo("10.77.0.9");
        assertThat(up.protocol()).isEqualTo(6);
        assertThat(up.octets()).isEqualTo(620);
        assertThat(up.packets()).isEqualTo(3);
        assertThat(up.sourcePort()).isEqualTo(40_001);
        if (!name.equals("plain")) { // there it counts from its own start, which was after the capture
            assertThat(up.start()).isBetween(BEGIN, BEGIN.plusMillis(1));
            assertThat(up.end()).isBetween(BEGIN.plusSeconds(1), BEGIN.plusSeconds(2));
        }
        assertThat(flows)
                .anyMatch(f -> f.destination().getHostAddress().equals("2001:db8:0:0:0:0:0:9")
                        && f.destinationPort() == 5_683
                        && f.protocol() == 17);
        assertThat(flows).anyMatch(f -> f.destinationPort() == 53 && f.octets() == 58);
    }

    @Test
    void addsBothDirectionsOfABidirectionalFlow() throws Exception {
        assertThat(decode("bidirectional"))
                .anyMatch(f -> f.destinationPort() == 443 && f.octets() == 1_740 && f.packets() == 6);
    }

    @Test
    void dataBeforeItsTemplateIsSkippedAndCounted() throws Exception {
        byte[] message = {0, 10, 0, 24, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 1, 0, 0, 8, 1, 2, 3, 4};
        IpfixDecoder decoder = new IpfixDecoder();
        assertThat(decoder.decode(message)).isEmpty();
        assertThat(decoder.skipped()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "000a",
                "00090010000000010000000100000000",
                "000a0011000000010000000100000000",
                "000a001400000001000000010000000000020030",
                "000a001800000001000000010000000000020008000100010008",
                "000a001c0000000100000001000000000002000c0100000100080000"
            })
    void whatIsNoMessageIsRefused(String hex) {
        assertThatThrownBy(() -> new IpfixDecoder().decode(HexFormat.of().parseHex(hex)))
                .isInstanceOf(MalformedIpfixException.class);
    }

    @Test
    void anyOctetsAreEitherAMessageOrMalformed() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<byte[]> good = new ArrayList<>();
        for (String name : List.of("plain", "milli", "bidirectional", "nano")) {
            good.addAll(recorded(name));
        }
        IpfixDecoder decoder = new IpfixDecoder();
        for (int i = 0; i < 20_000; i++) {
            byte[] message = good.get(random.nextInt(good.size())).clone();
            for (int n = random.nextInt(8); n > 0; n--) {
                message[random.nextInt(message.length)] = (byte) random.nextInt(256);
            }
            if (random.nextInt(4) == 0) {
                message = Arrays.copyOf(message, random.nextInt(message.length));
            }
            try {
                for (FlowRecord flow : decoder.decode(message)) {
                    assertThat(flow.octets()).isNotNegative();
                    assertThat(flow.end()).isAfterOrEqualTo(flow.start());
                }
            } catch (MalformedIpfixException expected) {
                // refused, as it should be
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + " " + HexFormat.of().formatHex(message), e);
            }
        }
    }
}

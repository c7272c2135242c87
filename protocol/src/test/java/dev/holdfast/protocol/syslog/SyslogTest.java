package dev.holdfast.protocol.syslog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SyslogTest {
    private static SyslogMessage parse(String message) throws MalformedSyslogException {
        return SyslogMessage.parse(message.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void readsTheExamplesOfRfc5424Section65() throws Exception {
        SyslogMessage one = parse("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - "
                + "\uFEFF'su root' failed for lonvick on /dev/pts/8");
        assertThat(one.facility()).isEqualTo(4);
        assertThat(one.severity()).isEqualTo(2);
        assertThat(one.timestamp()).contains(Instant.parse("2003-10-11T22:14:15.003Z"));
        assertThat(one.application()).contains("su");
        assertThat(one.process()).isEmpty();
        assertThat(one.text()).isEqualTo("'su root' failed for lonvick on /dev/pts/8");

        SyslogMessage two = parse("<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time.");
        assertThat(two.timestamp()).contains(Instant.parse("2003-08-24T12:14:15.000003Z"));

        SyslogMessage four = parse("<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 "
                + "[exampleSDID@32473 iut=\"3\" eventSource=\"Appl\\]ication\"][examplePriority@32473 class=\"high\"]");
        assertThat(four.structuredData()).startsWith("[exampleSDID").endsWith("\"high\"]");
        assertThat(four.text()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "<34>",
                "34>1 - - - - - -",
                "<192>1 - - - - - -",
                "<034>1 - - - - - -",
                "<34>2 - - - - - -",
                "<34>1 2003-08-24T05:14:15.000000003-07:00 - - - - -",
                "<34>1 2003-13-24T05:14:15Z - - - - -",
                "<34>1 - - - - -",
                "<34>1 - - - - - [x",
                "<34>1 - - - - - [x y=\"]\"]",
                "<34>1 - - - - - x",
                "<34>Oct 11 22:14:15 mymachine su: old"
            })
    void whatIsNoMessageIsRefused(String message) {
        assertThatThrownBy(() -> parse(message)).isInstanceOf(MalformedSyslogException.class);
    }

    @Test
    void cutsTheStreamTheSameWayInPiecesOfAnySize() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int round = 0; round < 500; round++) {
            List<String> messages = new ArrayList<>();
            StringBuilder stream = new StringBuilder();
            for (int i = random.nextInt(8); i >= 0; i--) {
                String message = "x1 ".repeat(1 + random.nextInt(40));
                messages.add(message);
                stream.append(message.length()).append(' ').append(message);
            }
            byte[] octets = stream.toString().getBytes(StandardCharsets.US_ASCII);
            OctetCounting framing = new OctetCounting(8_192);
            List<String> cut = new ArrayList<>();
            for (int at = 0; at < octets.length; ) {
                int size = Math.min(octets.length - at, 1 + random.nextInt(30));
                for (byte[] message : framing.feed(Arrays.copyOfRange(octets, at, at + size))) {
                    cut.add(new String(message, StandardCharsets.US_ASCII));
                }
                at += size;
            }
            assertThat(cut).as("seed %d", seed).isEqualTo(messages);
            assertThat(framing.isInside()).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"<34>1", " 5 hello", "05 hello", "9999999999 x", "8193 x", "5x", "-1 x"})
    void aStreamThatIsNotCountedIsRefused(String stream) {
        assertThatThrownBy(() -> new OctetCounting(8_192).feed(stream.getBytes(StandardCharsets.US_ASCII)))
                .isInstanceOf(MalformedSyslogException.class);
    }

    @Test
    void anyOctetsAreEitherAMessageOrMalformed() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        byte[] good = "<165>1 2003-10-11T22:14:15.003Z host app 12 ID47 [a@1 b=\"c\\]\"] text"
                .getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < 50_000; i++) {
            byte[] message = Arrays.copyOf(good, 1 + random.nextInt(good.length));
            for (int n = random.nextInt(5); n > 0; n--) {
                message[random.nextInt(message.length)] = (byte) random.nextInt(256);
            }
            try {
                SyslogMessage.parse(message);
            } catch (MalformedSyslogException expected) {
                // refused, as it should be
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + " " + HexFormat.of().formatHex(message), e);
            }
        }
    }
}

package dev.holdfast.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class CsvReaderTest {
    private static List<List<String>> read(byte[] text) throws IOException {
        CsvReader reader = new CsvReader(new ByteArrayInputStream(text));
        List<List<String>> rows = new ArrayList<>();
        for (Optional<CsvReader.Row> row = reader.next(); row.isPresent(); row = reader.next()) {
            rows.add(row.get().fields());
        }
        return rows;
    }

    private static List<List<String>> read(String text) throws IOException {
        return read(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void whatIsWrittenIsReadBackAndNoSpreadsheetRunsIt() throws Exception {
        List<String> fields = List.of("=cmd|' /C calc'!A0", "a \"b\", c", "-5", "'", "two\r\nlines", "", "plain");
        String line = fields.stream().map(CsvReader::written).collect(Collectors.joining(","));
        assertThat(line).startsWith("'=cmd").contains(",'-5,");
        assertThat(read(line + "\r\n").getFirst().stream().map(CsvReader::plain))
                .containsExactlyElementsOf(fields);
    }

    @Test
    void refusesWhatIsNotCsvNamingTheLine() {
        for (String bad : List.of(
                "a,b\n\"open,c\n",
                "a\n\"b\"c,d\n",
                "a\n" + "x".repeat(30_000) + "\n",
                "a\n" + ",".repeat(200) + "\n")) {
            assertThatThrownBy(() -> read(bad))
                    .isInstanceOfSatisfying(Problem.class, p -> assertThat(p).hasMessageContaining("line 2"));
        }
        assertThatThrownBy(() -> read(new byte[] {'a', (byte) 0xc3, '(', '\n'}))
                .isInstanceOf(CharacterCodingException.class);
    }

    @Test
    void noTextMakesItFailOtherwise() throws Exception {
        long seed = System.nanoTime() & 0xffffff;
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        String alphabet = "idmodel,\"\r\n'=-label.\u202e\u0000";
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int c = random.nextInt(40); c > 0; c--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            try {
                assertThat(read(text.toString()))
                        .allSatisfy(row -> assertThat(row).isNotEmpty());
            } catch (Problem refused) {
                assertThat(refused).hasMessageContaining("line ");
            }
        }
    }
}

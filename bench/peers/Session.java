import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * One Spark context that runs what it is told, so that a program's second run finds a warm JVM: one program a line of
 * stdin, its name and arguments separated by tabs. Behind what the program prints comes a line with a dot. With
 * arguments it runs them as one such program, and ends.
 */
public class Session {
    interface Program {
        void run(JavaSparkContext spark, String[] args) throws Exception;
    }

    private static final Map<String, Program> PROGRAMS = Map.of(
        "WordCount", WordCount::run, "WordCountCold", WordCountCold::run, "Sort", Sort::run, "PageRank", PageRank::run,
        "KMeans", KMeans::run, "Iterate", Iterate::run, "NullTasks", NullTasks::run, "Sleep", Sleep::run);

    private static void run(JavaSparkContext spark, String[] words) throws Exception {
        PROGRAMS.get(words[0]).run(spark, Arrays.copyOfRange(words, 1, words.length));
    }

    public static void main(String[] args) throws Exception {
        JavaSparkContext spark = new JavaSparkContext(new SparkConf().setAppName("quern's peer"));

        if (args.length > 0) {
            run(spark, args);
        } else {
            System.out.println(".");
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                run(spark, line.split("\t"));
                System.out.println(".");
            }
        }
        spark.stop();
    }
}

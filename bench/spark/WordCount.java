import java.util.Arrays;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import scala.Tuple2;

/** The word count of examples/wordcount.c, as a Spark user would write it: what quern is compared with. */
public class WordCount {
    public static void main(String[] args) {
        JavaSparkContext spark = new JavaSparkContext(new SparkConf().setAppName("WordCount"));
        spark.textFile(args[0])
            .flatMap(line -> Arrays.stream(line.split("\\s+")).filter(w -> !w.isEmpty()).iterator())
            .mapToPair(word -> new Tuple2<>(word, 1L))
            .reduceByKey(Long::sum)
            .map(pair -> pair._1 + "\t" + pair._2)
            .saveAsTextFile(args[1]);
        spark.stop();
    }
}

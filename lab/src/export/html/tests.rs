use super::*;
use crate::export::tests::{hostile_run, lossy_run};

const SMALL: &str =
    "<!doctype html><html><head><script type=\"module\">x</script></head><body>b</body></html>";

fn written(page: &str, runs: &[Run]) -> Result<String, HtmlError> {
    let book = crate::book::book();
    let data = Data {
        book: &book,
        lessons: &[],
        runs,
        differences: &[],
        selected: 0,
        pages: BTreeMap::new(),
        language: None,
        theme: None,
    };
    html(page, &data)
}

fn embedded(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once(OPENING).unwrap();
    serde_json::from_str(rest.split_once(CLOSING).unwrap().0).unwrap()
}

#[test]
fn the_page_carries_its_data_at_the_end_of_its_body() {
    let run = lossy_run();
    let page = written(SMALL, std::slice::from_ref(&run)).unwrap();
    assert!(page.starts_with("<!doctype html>"));
    assert!(page.ends_with("</script></body></html>"), "{}", &page[page.len() - 40..]);
    let data = embedded(&page);
    assert_eq!(serde_json::from_value::<Run>(data["runs"][0].clone()).unwrap(), run);
    assert_eq!(data["selected"], 0);
}

#[test]
fn data_that_a_page_brings_are_replaced() {
    let first = written(SMALL, &[lossy_run()]).unwrap();
    let second = written(&first, &[lossy_run()]).unwrap();
    assert_eq!(first, second);
}

#[test]
fn nothing_that_a_run_says_ends_the_data() {
    let page = written(SMALL, &[hostile_run()]).unwrap();
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(!page.contains("<!--"));
    assert_eq!(embedded(&page)["runs"][0]["title"]["en"], hostile_run().title.en.as_str());
}

#[test]
fn a_page_without_a_place_for_data_is_refused() {
    assert!(matches!(written("<p>", &[]), Err(HtmlError::Page)));
}

#[test]
fn the_page_that_was_built_has_its_place_for_data() {
    let page = written(PAGE, &[lossy_run()]).unwrap();
    assert_eq!(page.matches(OPENING).count(), 1);
    assert_eq!(embedded(&page)["runs"][0]["format"], crate::run::FORMAT);
    // Its program is as it was: the policy knows it by its hash.
    assert_eq!(
        page.len(),
        PAGE.len() - "null".len()
            + page.split_once(OPENING).unwrap().1.split_once(CLOSING).unwrap().0.len()
    );
}

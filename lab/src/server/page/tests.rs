//! The policy knows the page's scripts and nothing else.

use super::{PAGE, policy, scripts};

#[test]
fn every_script_of_a_page_is_found_and_nothing_beside_them() {
    let page = "<script>a<b</script><p>x</p><script type=\"module\">c</script>";
    assert_eq!(scripts(page).collect::<Vec<_>>(), ["a<b", "c"]);
}

#[test]
fn the_policy_has_a_hash_for_each_script_and_allows_no_other() {
    let policy = policy();
    let policy = policy.to_str().unwrap();
    assert_eq!(policy.matches("'sha256-").count(), scripts(PAGE).count());
    let of_scripts = policy.split(';').find(|part| part.contains("script-src")).unwrap();
    assert!(!of_scripts.contains("unsafe"), "{of_scripts}");
    assert!(policy.contains("frame-ancestors 'none'"));
}

#[test]
fn the_page_takes_nothing_from_elsewhere() {
    for from in ["<script src", "<link rel=\"stylesheet\" href", "src=\"http", "@import"] {
        assert!(!PAGE.contains(from), "the page has {from}");
    }
}

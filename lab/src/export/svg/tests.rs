use super::*;
use crate::export::tests::{broken_run, hostile_run, lossy_run, output};

#[test]
fn the_picture_says_what_happened_in_words_that_can_be_selected() {
    let text = svg(&lossy_run(), Language::English, Theme::Light);
    for part in ["SYN+ACK seq=0 (K) ack=1 (J+1)", "TIME-WAIT", "↻ ACK seq=1 ack=1 len=1448", "60 s"]
    {
        assert!(text.contains(part), "{part} is missing");
    }
    assert!(text.contains("<title>A lost segment</title>"));
    assert!(text.contains("16 segments, 1 lost, 1 sent again."));
}

#[test]
fn a_chinese_picture_speaks_chinese() {
    let text = svg(&lossy_run(), Language::Chinese, Theme::Dark);
    for part in ["一个丢失的报文段", "客户端", "服务器", "途中丢失", "空闲时间"]
    {
        assert!(text.contains(part), "{part} is missing");
    }
    assert!(text.contains("xml:lang=\"zh-CN\""));
}

#[test]
fn every_text_is_escaped_and_the_file_is_well_formed() {
    for run in [lossy_run(), hostile_run(), broken_run()] {
        let text = svg(&run, Language::English, Theme::Light);
        assert!(!text.contains("<b>") && !text.contains("</script>"));
        let arguments = ["-c", "import sys, xml.dom.minidom as m; m.parse(sys.stdin.buffer)"];
        output("python3", &arguments, text.as_bytes());
    }
}

#[test]
fn nothing_is_asked_of_the_world_outside() {
    let text = svg(&lossy_run(), Language::English, Theme::Light);
    let text = text.replacen("http://www.w3.org/2000/svg", "", 1);
    for part in ["http", "href", "url(", "<style", "<script", "@import"] {
        assert!(!text.contains(part), "{part}");
    }
}

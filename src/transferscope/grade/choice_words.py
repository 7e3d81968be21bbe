"""Words with which a reply states its choice, in the languages that models answer in.

Data for :mod:`.choice`: case-insensitive regular expressions. ``NOUNS`` are the words for "answer",
``OPTIONS`` those for "option" and "letter". ``LINKS`` may come between one of them and the letter
("is", "should be", "correct", "die", "la"). ``CHOSEN`` holds "I choose"; ``RIGHT`` and ``WRONG``
are judgements that may follow a letter. Words of scripts written without spaces have their own
lists (``_JOINED``), because nothing marks where they end.
"""

from __future__ import annotations

NOUNS = (
    r"answers?|ans\.?|(?:correct|right|best|final)(?:\s+one)?(?=\s*[:=—-]|\s+is\s)|responses?|solution|conclusion|verdict|pick|guess|decision|"
    r"(?:selected|selection|outputs?|predict(?:ion|ed)|label|key|sol|model|assistant)(?=\s*[:.]\s)|"
    r"antwort(?:möglichkeit)?|lösung|ergebnis|réponse|reponse|solución|respuesta|contestación|"
    r"risposta|soluzione|resposta|solução|gabarito|antwoord|odpowied[zź]|odpověď|odpoveď|odgovor|"
    r"svar(?:et|alternativ)?|vastaus|vastus|atbilde|atsakymas|"
    r"(?:cevap|yanıt|cavab)(?:[ıi]m?|imiz)?|đáp án|câu trả lời|jawapan|"
    r"jawaban(?:nya)?|sagot|jibu|răspuns(?:ul)?|raspuns(?:ul)?|válasz|megoldás|"
    r"ответ(?:ом)?|відповід(?:ь|дю)|отговор(?:ът)?|одговор|адказ|απάντηση|"
    r"ה?תשובה|الإجابة|الاجابة|الأجابة|إجابتي|إجابة|الجواب|جواب|الحل|پاسخ|گزینه|"
    r"उत्तर|जवाब|উত্তর|பதில்|விடை|సమాధానం|ઉત્તર|જવાબ|ਜਵਾਬ|ਉੱਤਰ"
)
NOUNS_JOINED = (
    r"答案|答え|答|正解|解答|回答|選択|结论|結論|"
    r"정답|해답|대답|답안|답변|답|คำตอบ|ข้อที่ถูก(?:ต้อง)?|ตอบ"
)
OPTIONS = (
    r"options?|choices?|letters?|alternatives?|selection|statements?|items?|"
    r"auswahl(?:möglichkeit)?|wahl|buchstabe|aussage|choix|lettre|proposition|affirmation|"
    r"opci[oó]n|alternativa|letra|inciso|literal|opç[aã]o|assertiva|opzione|lettera|"
    r"optie|keuze|opcj[aą]|wariant|možnost|alternativ(?:et)?|valg(?:et)?|vaihtoehto|seçenek|şık(?:kı)?|"
    r"phương án|lựa chọn|opsi|pilihan|opțiunea|varianta|opció|"
    r"вариант(?:ом)?|варіант|буква|пункт|опция|επιλογή|אפשרות|الخيار|الاختيار|حرف|الحرف|"
    r"विकल्प|বিকল্প"
)
OPTIONS_JOINED = r"選択肢|選項|选项|选择项|选项为|選択|선택지|보기|선지|ข้อ|ตัวเลือก"
LINKS = (
    r"is|are|was|be|being|been|would|will|must|should|shall|has|have|had|to|of|for|on|seems?|as|"
    r"looks?|remains?|turns|out|i|think|believe|say|give|get|here|there|question|problem|this|that|"
    r"these|above|your|our|my|the|an?|it|it's|therefore|thus|then|so|hence|clearly|definitely|"
    r"certainly|obviously|probably|likely|most|very|really|simply|just|indeed|actually|only|also|"
    r"correct|right|best|final|true|accurate|appropriate|suitable|one|labell?ed|marked|given|by|"
    r"number|no|q\d*|\d{1,3}|either|both|in|with|corresponds?|matches|following|"
    # German, Dutch, Scandinavian
    r"ist|sind|lautet|wäre|war|heißt|muss|müsste|sollte|sein|also|somit|daher|demnach|folglich|"
    r"eindeutig|wohl|richtige?r?|korrekte?r?|beste|die|der|das|den|hier|meine|auf|frage|unter|zu|"
    r"het|het's|juiste|correcte|goede|mijn|dus|zou|zijn|moet|"
    r"är|er|den|det|rätta?|riktige?|korrekt|må|være|måste|vara|vara|on|oikea|"
    # French, Spanish, Italian, Portuguese, Romanian
    r"est|serait|sera|doit|être|etre|c'est|donc|correcte?|bonne|exacte|juste|finale?|la|le|les|l|"
    r"une?|ma|à|a|question|celle|lettre|"
    r"es|sería|seria|será|debe|deberia|debería|ser|correcta|correcto|por|tanto|lo|entonces|mi|"
    r"el|del|pregunta|final|"
    r"è|e'|sarebbe|sarà|deve|essere|quindi|dunque|giusta|esatta|corretta|quella|mia|il|lo|"
    r"é|e|portanto|então|certa|corret[ao]|adequada|verdadeira|verdadera|adecuada|vraie|bon|"
    r"minha|o|da|do|pergunta|questão|"
    r"este|ar|fi|corect[aă]?|"
    # Polish, Czech, Turkish, Vietnamese, Indonesian, Hungarian, Finnish
    r"to|jest|brzmi|poprawna|prawidłowa|właściwa|je|správná|správně|zní|"
    r"doğru|olan|olarak|şıkkı(?:dır)?|seçeneği(?:dir)?|şık|"
    r"là|đúng|chính|xác|của|tôi|câu|adalah|yang|benar|tepat|ialah|saya|"
    r"az|helyes|tehát|a|"
    # Russian, Ukrainian, Greek, Hebrew, Arabic, Persian, Hindi, Bengali
    r"ответа|это|является|будет|правильный|верный|верно|правильно|под|буквой|таким|образом|мой|"
    r"правильна|правильною|є|це|буде|"
    r"είναι|η|το|σωστή|ה?נכונה|היא|הוא|זה|"
    r"هي|هو|هى|الصحيحة|الصحيح|النهائية|الصواب|إذن|إذا|رقم|الخيار|صحیح|درست|"
    r"है|सही|होगा|यह|हैं|সঠিক|হল|হলো|হচ্ছে|"
    r"tamaam|ni"
)
LINKS_JOINED = (
    r"最佳|最合适的|最符合|合适的|应该|應該|应当|應當|应为|應為|应|應|就|即|是|为|為|选择|選擇|选|選|项|項|的|正确|正確|最终|最終|本题|我|故|"
    r"は|が|も|こそ|の|正しい|最終的に|最も|適切な|選択肢|記号|番号|"
    r"은|는|이|가|을|를|의|바로|최종|정답|번호|보기|선택지|คือ|ที่ถูกต้อง|ถูกต้อง|เป็น|ข้อ|ตัวเลือก|ที่|นี้"
)
CHOSEN = (
    r"(?:i|we|let'?s)(?:'d|'ll|\s+would|\s+will|\s+shall|\s+should|\s+have\s+to|\s+must|\s+am\s+going"
    r"\s+to|\s+can)?(?:\s+(?:therefore|thus|then|definitely|rather|personally|probably|just|also|now|"
    r"confidently))*\s+(?:choose|chose|pick(?:ed)?|select(?:ed)?|go\s+(?:with|for)|going\s+with|say|opt\s+"
    r"for|answer|guess|prefer|take|vote\s+for|settle\s+(?:on|for)|conclude|believe|think|mark|stick\s+"
    r"with|lean\s+towards?)(?:\s+(?:it\s+is|it's|that|it\s+to\s+be))?|"
    r"(?<!to )(?:choose|pick|select|choosing|picking|selecting|go\s+with|going\s+with)|"
    r"my\s+(?:vote|bet|money)\s+is\s+on|(?:matches|corresponds\s+to|points\s+to|leads\s+to|"
    r"(?:leaves|leaving)(?:\s+(?:us|me))?(?:\s+with)?(?:\s+(?:only|just))?|left\s+with(?:\s+(?:only|just))?|"
    r"supports|gives|which\s+is|i\.e\.)|"
    r"ich\s+(?:wähle|nehme|tippe\s+auf|entscheide\s+mich\s+für|würde\s+sagen|sage)|"
    r"(?:richtig|korrekt|zutreffend)\s+(?:ist|wäre)|"
    r"je\s+(?:choisis|choisirais|prends|dirais|réponds|sélectionne|pense\s+que\s+c'est|opte\s+pour)|c'est|"
    r"(?:yo\s+)?(?:elijo|elegiría|escojo|selecciono|diría|creo\s+que\s+es|me\s+quedo\s+con|marco)|"
    r"scelgo|sceglierei|direi|seleziono|opto\s+per|"
    r"(?:eu\s+)?(?:escolho|escolheria|seleciono|marco|opto\s+por|fico\s+com)|ik\s+kies(?:\s+voor)?|"
    r"wybieram|jag\s+väljer|jeg\s+velger|jeg\s+vælger|valitsen|seçiyorum|tôi\s+chọn|chọn|saya\s+"
    r"(?:memilih|pilih)|aleg|választom|vybírám|"
    r"(?:я\s+)?(?:выбираю|выберу|выбрал|обираю)|επιλέγω|אני\s+בוחר|أختار|اختار|اخترت|मैं|"
    r"правильн\w+|верн\w+"
)
CHOSEN_JOINED = (
    r"因此|所以|故|综上|綜上|应选|應選|故选|故選|我选择|我選擇|我选|我選|选择|選擇|选|選|"
    r"よって|したがって|従って|だから|つまり|私は|เลือก|ดังนั้น|따라서|그러므로|저는|나는"
)
THEREFORE = (
    r"so|thus|hence|therefore|it['’]s|it|this|that['’]s|that|consequently|accordingly|finally|final|"
    r"by\s+(?:process\s+of\s+)?elimination|conclusion|result|probably|likely|presumably|definitely|certainly|surely|clearly|also|somit|daher|folglich|es|donc|así|luego|entonces|quindi|dunque|portanto|"
    r"logo|assim|итак|значит|следовательно|итого"
)
RIGHT = (
    r"correct|right|best|better|true|accurate|answer|valid|most\s+(?:likely|appropriate|accurate|suitable)|"
    r"richtige?r?|korrekte?r?|zutreffend|lösung|antwort|"
    r"correcte?|juste|exacte?|vraie?|bonne|réponse|"
    r"correct[ao]s?|ciert[ao]|verdader[ao]|respuesta|adecuad[ao]|acertad[ao]|"
    r"corrett[ao]|giust[ao]|esatt[ao]|ver[ao]|risposta|"
    r"cert[ao]|verdadeir[ao]|resposta|juiste?|goed|correcte|antwoord|antwoord|"
    r"poprawn\w+|prawidłow\w+|prawdziw\w+|správn\w+|rätt|riktig\w*|rigtig\w*|oikein|oikea|doğru\w*|"
    r"đúng|chính\s+xác|đáp\s+án|benar|tepat|jawaban\w*|corect[aă]?|helyes|"
    r"правильн\w+|верн\w+|верно|правильно|вірн\w+|подходит|является\s+(?:правильн|верн)\w+|"
    r"σωστ\w+|נכונה?|صحيح\w*|صحیح|الصحيح\w*|الصواب|درست|सही|সঠিক|সটিক"
)
FITS = (
    r"makes\s+(?:the\s+most\s+)?sense|best\s+\w{3,12}s|fits|works|remains|is\s+left|stimmt|"
    r"trifft\s+zu|подходит|convient|passt"
)
RIGHT_JOINED = (
    r"正确|正確|正しい|正解|適切|对|對|符合|为真|適当|정답|맞|옳|올바|적절|ถูก|คือคำตอบ|เป็นคำตอบ|答え|答案|です|だ|입니다|이다|예요|이에요|"
    r"である|になります|となります|を選"
)
WRONG = (
    r"not|isn'?t|wasn'?t|aren'?t|cannot|can'?t|doesn'?t|does\s+not|don'?t|won'?t|wouldn'?t|"
    r"incorrect|wrong|false|invalid|inaccurate|untrue|irrelevant|ruled|eliminated|excluded|out|fails?|"
    r"contradicts?|ignores?|"
    r"nicht|falsch|inkorrekt|unzutreffend|scheidet|kein\w*|"
    r"n'est|n'a|ne|pas|fauss?e?|faux|incorrecte?|erronée?|inexacte?|"
    r"no|incorrect[ao]s?|falso|falsa|erróne[ao]|equivocad[ao]|"
    r"non|sbagliat[ao]|errat[ao]|scorrett[ao]|fals[ao]|não|errad[ao]|niet|onjuist|fout|"
    r"nie|niepoprawn\w+|błędn\w+|fałszyw\w+|není|nesprávn\w+|inte|fel|ikke|feil|forkert|väärin|väärä|"
    r"yanlış\w*|değil\w*|không|sai|salah|bukan|tidak|nu|greșit[aă]?|hibás|helytelen|nem|"
    r"не|неверен|неправилен|ошибочен|неверн\w+|неправильн\w+|неверно|неправильно|ошибоч\w+|хибн\w+|невірн\w+|"
    r"δεν|λάθος|λανθασμέν\w+|לא|שגויה?|خطأ|خاطئ\w*|ليس\w*|غير|غلط|نادرست|गलत|नहीं|ভুল|নয়"
)
WRONG_JOINED = r"不|错|錯|误|誤|没有|非|間違|ではな|じゃな|でない|不適|틀|오답|아니|잘못|ผิด|ไม่|않"
BUT = (
    r"but|rather|instead|it's|it\s+is|sondern|mais|plutôt|sino|ma|bensì|mas|maar|lecz|ale|utan|men|"
    r"а|но|بل|αλλά|mà\s+là|melainkan|tapi|ama"
)
BUT_JOINED = r"而是|而應|而应|でなく|ではなく|なく|아니라"
CONNECTORS = (
    r"because|since|as|is|are|was|and|or|but|which|that|who|where|when|with|for|from|if|due|given|"
    r"while|not|so|in|by|rather|instead|would|will|must|should|seems?|looks?|fits|works|in|here|"
    r"over|than|has|have|says|states|describes|matches|thanks|i|too|only|though|although|"
    r"weil|da|denn|und|oder|ist|lautet|stimmt|wegen|nicht|car|parce|puisque|et|ou|est|ne|n'est|"
    r"porque|pues|ya|y|o|es|è|perché|poiché|ed?|non|é|pois|porque|não|want|omdat|en|of|bo|"
    r"ponieważ|gdyż|i|lub|jest|to|eftersom|för|och|eller|är|er|fordi|koska|ja|çünkü|ve|veya|şıkkı(?:dır)?|seçeneği(?:dir)?|"
    r"sondern|mais|sino|ma|mas|maar|lecz|ale|utan|men|а|но|и|или|"
    r"vì|bởi|và|hoặc|karena|dan|atau|adalah|protože|deoarece|mert|pentru|válasz|helyes|a"
)
JOINS = (
    r"but\s+also|and\s+also|or|and|and/or|as\s+well\s+as|und|oder|et|ou|y|o|e|ed|oppure|en|of|lub|i|och|eller|og|ja|tai|"
    r"ve|veya|và|hoặc|dan|atau|и|или|та|або|και|ή|और|या|و|أو|או|או"
)
JOINS_JOINED = r"或者|或|和|与|與|及|、|と|や|または|및|또는|와|과|และ|หรือ|，|/|&|\+|,|;|或是"
OTHERS = (
    r"(?:people|students?|many|some|others|you|they|one)\s+(?!should|must)(?:\w+\s+){0,2}(?:choose|pick|select|say|"
    r"think|answer|go)|tempting|tempted"
)
HEDGE = (
    r"might|may|could|maybe|perhaps|possibly|initially|at\s+first|originally|first\s+thought|thought|"
    r"vielleicht|könnte|peut-être|pourrait|quizás|podría|forse|potrebbe|talvez|poderia|"
    r"может|возможно"
)
HEDGE_JOINED = r"可能|也许|也許|かもしれ|혹시|อาจ"
IF = (
    r"although|though|while|whereas|während|obwohl|bien\s+que|aunque|sebbene|embora|хотя|if|were|suppose|supposing|assuming|assume|unless|whether|why|either|neither|between|among|"
    r"wenn|falls|ob|warum|si|pourquoi|entre|por\s+qué|se|perché|tra|fra|если|ли|почему|لو|إذا\s+كان|"
    r"लेकिन\s+अगर|अगर|nếu|jika|eğer"
)
IF_JOINED = r"如果|若|假如|もし|なら|만약|ถ้า|为什么|なぜ|왜"
AGAINST = (
    r"not|isn'?t|wasn'?t|neither|nor|except|exclud(?:e|es|ing)|eliminat(?:e|es|ing)|rul(?:e|es|ing)"
    r"\s+out|rather\s+than|instead\s+of|unlike|over|than|reject|discard|cannot\s+be|can'?t\s+be|"
    r"against|nicht|weder|noch|pas|ni|no|excepto|non|né|não|nem|niet|nie|inte|ikke|ei|değil|"
    r"không\s+phải|bukan|не|ни|δεν|לא|ليس|ليست|नहीं"
)
AGAINST_JOINED = r"不是|不选|不選|并非|並非|排除|而不是|除了"
CORRECTION = (
    r"wait|actually|no|correction|sorry|hmm+|on\s+second\s+thought|scratch\s+that|my\s+mistake|"
    r"i\s+was\s+wrong|let\s+me\s+(?:re|correct)\w*|moment|doch|non|en\s+fait|en\s+realidad|"
    r"anzi|na\s+verdade|нет|на\s+самом\s+деле"
)
CORRECTION_JOINED = r"不对|不對|等等|更正|いや|訂正|아니"
THINGS = (
    r"(?:pro)?vitamine?n?s?|vitaminas?|витамин|hepatitis|hepatite|hépatite|гепатит|influenza|"
    r"(?:blood\s+)?(?:type|group|typ|tipo|groupe?|gruppe|grupo|gruppo)|plan|grade|class|classe|klasse|"
    r"team|person|patient|company|firm|factor|protein|co-?enzyme|immunoglobulin|exhibit|appendix|"
    r"section|schedule|part|drug|model|point|points|line|side|vertex|angle|set|event|matrix|city|town|"
    r"country|state|planet|star|compound|substance|element|gas|sample|tube|beaker|flask|container|"
    r"box|bag|block|object|car|train|ship|player|student|child|house|room|school|factory|machine|"
    r"worker|product|brand|bond|stock|fund|investor|party|region|zone|area|station|gene|allele|"
    r"strain|virus|cell|receptor|antigen|antibody|enzyme|hormone|subunit|chain|circuit|bulb|switch|"
    r"resistor|wire|electrode|mr\.?|mrs\.?|ms\.?|dr\.?|spectral|level|phase|stage|period|serum|spot|"
    r"island|village|building|tower|bank|hospital|clinic|study|experiment|treatment|condition"
)
"""Words that form a name with a letter: "vitamin C", "Plan B"."""
THINGS_JOINED = r"维生素|維生素|维他命|維他命|血型|ビタミン|プラン|비타민|วิตามิน"
LIKE_OPTIONS = (
    r"figures?|graphs?|diagrams?|images?|pictures?|sentences?|scenarios?|equations?|formulas?|"
    r"structures?|tables?|charts?|maps?|rows?|columns?|claims?|assertions?|arguments?|examples?|"
    r"reasons?|candidates?|hypothesis|explanations?|definitions?|descriptions?|antwort|frage|only|"
    r"both|none|each|all|some|except|here|there|then|thus|finally|lastly|first|second|third|"
    r"that|what|when|where|these|those|with|from|using|given|unlike|rather|instead|maybe|perhaps|"
    r"also|again|still|even|just|overall|nevertheless|nonetheless|indeed|surely|yes|okay|well|"
    r"now|see|let|any|per|via|out|even\s+though|after|before|plus|namely|meaning|however|furthermore|moreover|similarly"
)
"""Words for options, or words that begin a sentence before a letter."""

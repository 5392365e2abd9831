"""Letters to dictate: dense speech of half a minute and more, with hardly a pause in it."""

from __future__ import annotations

LETTERS = (
    """
Dear Margaret, thank you for the long letter that arrived here last Tuesday morning. We were all
glad to hear that your new kitchen is finally finished and that the painters have left. In July my
brother came to visit with his two children and we walked along the river every evening. The
younger one has learned to swim and jumped from the old wooden bridge more than twenty times. On
the second weekend we drove up into the mountains and stayed in a small hut near the lake. It
rained so hard during the night that the roof began to leak above the children's beds. Nobody slept
very much, but the next morning the sky was clear and we could see the whole valley. My brother
wants to sell his house in the city and look for something quieter close to us. Please tell your
mother that I found the photographs she asked about in a box under the stairs. I will send them
with the next letter, and until then we all wish you a pleasant summer.
""",
    """
Good morning, this is a short report about the work we did on the garden during the past month.
First we removed the broken fence on the north side and carried the old boards to the recycling
yard. Then we dug a narrow trench for the water pipe, which took longer than anyone had expected.
The ground was full of roots and large stones, and one of the shovels broke on the first afternoon.
After that we laid the pipe, tested it twice under pressure and covered it with fine sand. The
apple trees were cut back by a neighbour who has done this kind of work for thirty years. He also
showed us how to recognize the insects that had damaged the leaves in the spring. In the last week
we built three raised beds and filled them with soil from the compost heap. Tomatoes, beans and
lettuce are growing already, and the herbs will be planted next Saturday. If the weather stays dry
we can begin with the stone path before the end of the month.
""",
    """
Dear colleagues, I am writing to let you know about several changes in the office next week. The
heating on the second floor will be repaired between Monday morning and Wednesday afternoon. During
that time everyone who sits near the windows may use the large meeting room downstairs. Please take
your laptop and your documents with you, because the workers need to move the desks. The kitchen
stays open, but the coffee machine has to be switched off while the power is out. On Thursday a new
colleague will join the support team, and her name is Caroline Fisher. She worked for a hospital
before and knows a great deal about planning and difficult customers. We would like to welcome her
with breakfast at nine o'clock in the small garden behind the house. Whoever wants to bring a cake
should write to me before Tuesday so that we do not get five of them. Thank you for your patience,
and I hope that it will be warm again by the weekend.
""",
    """
Hello Peter, I promised to tell you how the journey to the coast went, so here is the story. Our
train left the station forty minutes late because somebody had forgotten a suitcase on the
platform. We missed the connection, spent an hour in a cold waiting room and drank terrible tea
from paper cups. When we finally reached the village it was dark and the owner of the hotel had
already gone home. Luckily his daughter lived next door and she gave us the key and a bowl of hot
soup. The next day we rented bicycles and rode along the cliffs as far as the white lighthouse.
There was so much wind on the way back that we had to push the bicycles up the last hill. In the
harbour we bought fresh fish from a man who told us about the storms of his youth. He said that the
sea had once carried a boat right into the middle of the market square. I have taken hundreds of
pictures and will show you the best ones when you come in October.
""",
    """
To the manager of the city library, I would like to suggest a few improvements for the reading
room. I visit the library almost every day and I have always found the people there friendly and
helpful. However, the lamps on the long tables are so weak that older visitors cannot read in the
evening. It would also be useful to have more sockets, since many students now work on their own
computers. The clock above the entrance has been wrong since winter, and twice I have missed my bus
because of it. Some of the newspapers disappear before noon, and nobody seems to know who takes
them home. Perhaps they could be kept behind the desk and handed out against a library card. The
children's corner is wonderful, but it is too close to the shelves where people want to study. A
thick curtain or a few plants between the two areas would already make a great difference. I would
be happy to help with any of this and look forward to your answer.
""",
    """
My dear Thomas, yesterday I finished the book about bridges that you gave me for my birthday. I
never imagined that an engineer could write so well about iron, water and human mistakes. The
chapter about the storm that destroyed the railway bridge kept me awake until two in the morning.
What surprised me most was how long people had known about the danger without doing anything. Your
grandfather used to say that a good builder listens to the wood before he cuts it. He repaired the
old mill when I was a girl, and the wheel is still turning today. Next month there will be an
exhibition about his work in the town hall, with drawings and tools. I have lent them his measuring
instruments, the leather case and the large map of the valley. It would be lovely if you could come
for the opening and say a few words about him. Write to me soon, and do not forget to bring your
warm coat, because the hall is never heated.
""",
    """
This is a message for the school about our excursion to the museum of natural history. Twenty six
children from two classes took part, together with four parents and both teachers. The bus arrived
on time, and we reached the museum a few minutes before the doors opened. A young guide led us
through the rooms with the dinosaurs and answered every question patiently. The children were most
impressed by a skeleton that is longer than our whole school yard. After lunch each group drew a
plant or an animal and explained the drawing to the others. One boy lost his blue jacket in the
cloakroom, but it was found again before we left. On the way home there was heavy traffic near the
tunnel, so we came back half an hour later than planned. All in all it was a successful day, and
the children are already asking when we will go again. I have attached the list of costs and would
be grateful if the money could be paid by Friday.
""",
    """
Dear Doctor Miller, you asked me to describe how I have been feeling since our last appointment.
The pain in my left knee is much better in the morning, but it returns when I climb the stairs. I
have done the exercises every day except for the week when my sister was in hospital. The new
tablets make me a little tired, especially when I take them without eating anything. My sleep has
improved, although I still wake up around four and need some time to rest again. Last Sunday I
walked for almost an hour in the park and had no trouble at all. On Monday the knee was slightly
swollen, so I kept it up and put some ice on it. I have stopped drinking coffee after lunch, and I
believe that this has helped as well. Could you please tell me whether I may begin to swim again
before the next examination. I would prefer an appointment early in the week, because my husband
can drive me then.
""",
    """
Notes from the meeting of the housing association on the evening of the fourteenth of March. The
chairman opened the meeting at seven and greeted eighteen members and two guests. The first subject
was the roof of the eastern building, which has been leaking since autumn. Three companies have
made an offer, and the cheapest of them cannot begin before September. After a long discussion the
members decided to accept the second offer with a small reduction. The second subject was the noise
from the workshop in the yard during the early hours. The owner explained that his new machine is
quieter and promised not to start before eight. Several members complained about bicycles in the
hallway, where they block the emergency exit. A covered stand for thirty bicycles will be built
beside the garages as soon as the snow is gone. The meeting ended shortly before ten with a glass
of wine and a plate of cheese.
""",
    """
Hi Susan, you wanted to know how to make the soup that we had at our place in November. Start with
two large onions and cook them very slowly in butter until they are soft and brown. That takes
nearly an hour, so this is a good moment to call your mother or listen to the news. Add a spoon of
flour, stir it well and pour in some white wine and a litre of strong broth. Let everything simmer
for another thirty minutes and season it with salt, pepper and a little thyme. Meanwhile cut some
old bread into thick slices and toast them in the oven on both sides. Fill the soup into bowls, lay
the bread on top and cover it with plenty of grated cheese. Put the bowls under the grill until the
cheese bubbles, but watch them closely because it goes fast. My aunt used to add a glass of brandy
at the end, which I can recommend on cold evenings. Serve it with a green salad, and be careful,
for it stays hot much longer than you think.
""",
)
"""Ten, of ten sentences each, without figures that could be written in two ways."""
